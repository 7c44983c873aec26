-- What it costs to have the plugin installed, to set it up, and to use it for the first time.
local MODULE = 'build/himalaya_native.so'

local figures = {
  {
    name = "`require('himalaya.native')`, files not in memory",
    asked = 'under 8 ms',
    how = 'A fresh Neovim; the module and its libraries were put out of the page cache before (dd nocache).\n'
      .. 'What another process holds mapped stays in memory.',
  },
  {
    name = "`require('himalaya.native')`, files in memory",
    asked = 'under 4 ms',
    how = 'A fresh Neovim, wall clock round the one call, libraries included. The peer column is what loading\n'
      .. 'what it needs at once, one library after the other, costs in another fresh Neovim, the dearest three\n'
      .. 'named. (Others are loaded when they are first called.)',
  },
  {
    name = '`setup()`, first call',
    asked = 'under 1 ms',
    how = "A fresh Neovim; wall clock round himalaya.setup with one account after require('himalaya').\n"
      .. 'The peer column is the require itself.',
  },
  {
    name = '`plugin/himalaya.lua`',
    asked = 'under 0.3 ms',
    how = 'A fresh Neovim; wall clock round dofile of it. The peer column is the whole start of Neovim with and\n'
      .. 'without this checkout on runtimepath, by its own --startuptime.',
  },
}

--- Absolute paths of what the module needs beyond what Neovim itself has loaded.
local function libraries(tools)
  local paths = {}
  for path in tools.run({ 'ldd', tools.root .. '/' .. MODULE }):gmatch('=> (/%S+)') do
    if not path:match('/libc%.so') and not path:match('/libm%.so') and not path:match('ld%-linux') then
      paths[#paths + 1] = vim.uv.fs_realpath(path)
    end
  end
  return paths
end

local REQUIRE = [[
  local start = vim.uv.hrtime()
  require('himalaya.native')
  return (vim.uv.hrtime() - start) / 1e6
]]

local function cold(tools, paths)
  return tools.median_of(function()
    for _, path in ipairs(paths) do
      tools.run({ 'dd', 'if=' .. path, 'iflag=nocache', 'count=0', 'status=none' })
    end
    return tools.fresh(REQUIRE)
  end)
end

--- Milliseconds per library, loaded leaves first so that none pays for another.
local function by_library(tools, paths)
  local code = [[
    local ffi, costs = require('ffi'), {}
    local left = vim.json.decode(%q)
    local function load(path)
      local start = vim.uv.hrtime()
      ffi.load(path, true)
      return (vim.uv.hrtime() - start) / 1e6
    end
    for _, path in ipairs(left) do
      costs[#costs + 1] = { library = vim.fs.basename(path), ms = load(path) }
    end
    return costs
  ]]
  local reversed = {}
  for i = #paths, 1, -1 do
    reversed[#reversed + 1] = paths[i]
  end
  local costs = tools.fresh(code:format(vim.json.encode(reversed)))
  table.sort(costs, function(a, b)
    return a.ms > b.ms
  end)
  return costs
end

local function startuptime(tools, with)
  local log = vim.fn.tempname()
  local argv = { vim.env.HIMALAYA_NVIM, '--headless', '--startuptime', log, '-i', 'NONE', '-n', '--clean' }
  if with then
    vim.list_extend(argv, { '--cmd', 'set runtimepath^=' .. tools.root })
  end
  tools.run(vim.list_extend(argv, { '-c', 'qa!' }))
  local file = assert(io.open(log))
  local total
  for line in file:lines() do
    total = tonumber(line:match('^(%d+%.%d+)%s')) or total
  end
  file:close()
  os.remove(log)
  return total
end

local function run(tools, report)
  local libs = libraries(tools)
  local all = vim.list_extend({ tools.root .. '/' .. MODULE }, libs)

  local first = cold(tools, all)
  report(figures[1].name, { measured = tools.ms(first), value = first, met = first < 8, detail = all })

  local warm = tools.median_of(function()
    return tools.fresh(REQUIRE)
  end)
  local costs = by_library(tools, libs)
  local sum, dearest = 0, {}
  for i, cost in ipairs(costs) do
    sum = sum + cost.ms
    if i <= 3 then
      dearest[i] = ('%s %.2f'):format(cost.library:match('^lib([%w_%-]+)') or cost.library, cost.ms)
    end
  end
  report(figures[2].name, {
    measured = tools.ms(warm),
    value = warm,
    met = warm < 4,
    peer = ('its libraries alone %s (%s)'):format(tools.ms(sum), table.concat(dearest, ', ')),
    detail = costs,
  })

  local required = {}
  local setup = tools.median_of(function(i)
    local times = tools.fresh([[
      local before = vim.uv.hrtime()
      local himalaya = require('himalaya')
      local start = vim.uv.hrtime()
      himalaya.setup({ accounts = { home = { email = 'me@example.org', imap = { host = 'imap.example.org' } } } })
      return { (start - before) / 1e6, (vim.uv.hrtime() - start) / 1e6 }
    ]])
    required[i] = times[1]
    return times[2]
  end)
  report(figures[3].name, {
    measured = tools.ms(setup),
    value = setup,
    met = setup < 1,
    peer = "`require('himalaya')` " .. tools.ms(tools.median(required)),
  })

  local plugin = tools.median_of(function()
    return tools.fresh(([[
      local start = vim.uv.hrtime()
      dofile(%q)
      return (vim.uv.hrtime() - start) / 1e6
    ]]):format(tools.root .. '/plugin/himalaya.lua'))
  end)
  local with, without = {}, {}
  for i = 1, tools.runs do
    without[i] = startuptime(tools, false)
    with[i] = startuptime(tools, true)
  end
  report(figures[4].name, {
    measured = tools.ms(plugin),
    value = plugin,
    met = plugin < 0.3,
    peer = ('Neovim starts in %s, without it %s'):format(
      tools.ms(tools.median(with)),
      tools.ms(tools.median(without))
    ),
  })
end

return { about = 'what having it, setting it up and first using it costs', figures = figures, run = run }
