-- What every bench needs: medians, fresh Neovims, programs of the build, peers from npm, and what machine this is.
local M = { runs = tonumber(vim.env.HIMALAYA_BENCH_RUNS) or 5, root = vim.env.HIMALAYA_ROOT }

--- How many messages a large mailbox has, 50,000 unless --messages says otherwise.
M.messages = tonumber(vim.env.HIMALAYA_BENCH_MESSAGES or '') or 50000

-- What scripts/bench --row named; nothing: all.
local rows = vim.split(vim.env.HIMALAYA_BENCH_ROWS or '', ' ', { trimempty = true })

--- Whether this row of a bench is to be measured.
function M.wants(row)
  return #rows == 0 or vim.tbl_contains(rows, row)
end

--- A line about what is being measured, for who watches.
function M.note(text)
  io.stderr:write(vim.trim(text), '\n')
end

local function sorted(numbers)
  local copy = vim.list_extend({}, numbers)
  table.sort(copy)
  return copy
end

function M.median(numbers)
  local list = sorted(numbers)
  local middle = math.floor(#list / 2)
  return #list % 2 == 1 and list[middle + 1] or (list[middle] + list[middle + 1]) / 2
end

--- The value that `percent` of the numbers do not exceed.
function M.percentile(numbers, percent)
  local list = sorted(numbers)
  return list[math.max(1, math.ceil(#list * percent / 100))]
end

--- fn(i) M.runs times; what it returned, as a list.
function M.each_run(fn)
  local values = {}
  for i = 1, M.runs do
    values[i] = fn(i)
  end
  return values
end

function M.median_of(fn)
  return M.median(M.each_run(fn))
end

--- Milliseconds as a person reads them.
function M.ms(value)
  return (value < 1 and '%.3f ms' or value < 10 and '%.2f ms' or '%.1f ms'):format(value)
end

--- A child Neovim, see tests/child.lua.
function M.child(opts)
  return require('tests.child').start(opts)
end

--- Runs a program to its end and gives its stdout; raises when it fails.
function M.run(argv, opts)
  local done = vim.system(argv, vim.tbl_extend('force', { text = true }, opts or {})):wait(600000)
  assert(
    done.code == 0,
    ('%s: exit %d\n%s%s'):format(table.concat(argv, ' '), done.code, done.stdout, done.stderr)
  )
  return done.stdout
end

--- A fresh Neovim without any configuration runs `code` with this checkout on 'runtimepath'; the Lua value it returns.
--- Start-up is what is measured there, so no harness is loaded into it.
function M.fresh(code, args)
  local script, result = vim.fn.tempname() .. '.lua', vim.fn.tempname()
  local file = assert(io.open(script, 'w'))
  file:write('local measured = (function()\n', code, '\nend)()\n')
  file:write(
    ('local out = io.open(%q, "w") out:write(vim.json.encode({ measured })) out:close()\n'):format(result)
  )
  file:close()
  local argv = { vim.env.HIMALAYA_NVIM, '--headless', '-u', 'NONE', '-i', 'NONE', '-n' }
  vim.list_extend(argv, { '--cmd', 'set runtimepath^=' .. M.root })
  vim.list_extend(argv, args or {})
  vim.list_extend(argv, { '-c', 'luafile ' .. script, '-c', 'qa!' })
  M.run(argv)
  local read = assert(io.open(result), 'the measured Neovim wrote no result')
  local value = vim.json.decode(read:read('*a'))[1]
  read:close()
  return value
end

--- A program of the build: build/tests/NAME.
function M.program(name)
  local path = M.root .. '/build/tests/' .. name
  assert(vim.uv.fs_access(path, 'X'), path .. ' is not built')
  return path
end

--- Sends a command behind the SELECT of the inbox and reads what comes of it to nowhere; { seconds, bytes, lines }.
function M.raw(server, user, command)
  local out = M.run({
    M.program('raw_reader'),
    '--ca-file',
    server.ca_file,
    '127.0.0.1',
    tostring(server.tls_port),
    user,
    server.users[user].password,
    'SELECT INBOX',
    command,
  })
  local lines = vim.split(vim.trim(out), '\n')
  return vim.json.decode(lines[#lines])
end

--- A peer from npm, fetched once into the cache folder: the path of its node_modules.
function M.npm(package, version)
  local folder = ('%s/himalaya.nvim/peers/%s-%s'):format(vim.env.HIMALAYA_CACHE_HOME, package, version)
  if not vim.uv.fs_stat(folder .. '/node_modules/' .. package) then
    M.run({ M.root .. '/scripts/setup', 'peers' })
    vim.fn.mkdir(folder, 'p')
    M.run({
      'npm',
      'install',
      '--silent',
      '--no-audit',
      '--no-fund',
      '--prefix',
      folder,
      package .. '@' .. version,
    })
  end
  return folder .. '/node_modules'
end

function M.machine()
  local cpu = vim.uv.cpu_info()
  local name = (cpu[1].model:gsub('%s+', ' '))
  local version = tostring(vim.version())
  local system = vim.uv.os_uname()
  return {
    cpu = name,
    cores = #cpu,
    memory_mb = math.floor(vim.uv.get_total_memory() / 1048576),
    neovim = version,
    system = system.sysname .. ' ' .. system.machine,
    text = ('%d cores of %s, %s %s, Neovim %s'):format(#cpu, name, system.sysname, system.machine, version),
  }
end

function M.clean_up()
  if package.loaded['tests.child'] then
    package.loaded['tests.child'].stop_all()
  end
end

return M
