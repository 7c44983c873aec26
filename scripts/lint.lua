-- What no off-the-shelf linter knows of this house; scripts/lint runs it:  nvim -l scripts/lint.lua CHECK ROOT
--
--   rooms      a room of cpp/ includes only itself and rooms above it; Lua's, uv's and SQLite's headers stay where
--              they belong
--   blocking   no Lua of the plugin waits: not for a program, a file or the loop
--   length     files over 450 lines (a warning)
--
-- It reads text, not syntax: comments and strings are blanked first, which is enough for what it looks for.
local check, root = arg[1], vim.uv.fs_realpath(arg[2] or '.')
local found = {}

local function report(path, line, text)
  found[#found + 1] = ('%s:%d: %s'):format(path:sub(#root + 2), line, text)
end

local function read(path)
  local file = assert(io.open(path, 'rb'))
  local text = file:read('*a')
  file:close()
  return text
end

local function files(pattern)
  local paths = vim.fn.glob(root .. '/' .. pattern, false, true)
  table.sort(paths)
  return paths
end

local function line_of(text, position)
  local _, count = text:sub(1, position):gsub('\n', '')
  return count + 1
end

-- rooms --------------------------------------------------------------------------------------------------------------

-- Headers of others that only some rooms may see, whatever folder they come from.
local PRIVATE = {
  { '^lua%.h', { 'lua' } },
  { '^lauxlib%.h', { 'lua' } },
  { '^lualib%.h', { 'lua' } },
  { '^luajit%.h', { 'lua' } },
  { '^luv', {} },
  { '^sqlite3', { 'store' } },
  { '^gmime', { 'mail' } },
}

-- Written by CMake.
local GENERATED = { ['stamp.hpp'] = true }

local function rooms()
  local listed = read(root .. '/CMakeLists.txt'):match('set%(ROOMS ([%w%s]+)%)')
  assert(listed, 'CMakeLists.txt lists no ROOMS')
  local order, above = {}, {}
  for room in (listed .. ' lua'):gmatch('%w+') do
    above[room] = vim.deepcopy(order)
    order[#order + 1] = room
  end
  local seen = 0
  local paths = vim.list_extend(files('cpp/**/*.hpp'), files('cpp/**/*.cpp'))
  for _, path in ipairs(vim.list_extend(paths, files('cpp/**/*.inc'))) do
    seen = seen + 1
    local room = path:sub(#root + 1):match('^/cpp/([%w_]+)/')
    local text = read(path)
    if room ~= 'programs' and not above[room or ''] then
      report(path, 1, 'this is in no room; the rooms are ' .. table.concat(order, ' '))
    else
      -- A program of its own stands outside the house and may use what does not know the loop.
      local allowed = room == 'programs' and { 'base' } or vim.list_extend({ room }, above[room])
      local number = 0
      for line in (text .. '\n'):gmatch('(.-)\n') do
        number = number + 1
        local mark, name = line:gsub('/%*.-%*/', ' '):match('^%s*#%s*include%s*([<"])([^">]+)[">]')
        if mark == '<' and vim.uv.fs_stat(root .. '/cpp/' .. name) then
          mark = '"' -- one of ours, whatever it stands in
        end
        if mark == '"' and not GENERATED[name] then
          local from = name:match('^([%w_]+)/')
          if not from or not (above[from] or from == 'programs') then
            report(path, number, ('"%s" is not written as "room/file.hpp"'):format(name))
          elseif not vim.tbl_contains(allowed, from) then
            report(path, number, ('%s/ may not include %s/, which is below it'):format(room, from))
          elseif not vim.uv.fs_stat(root .. '/cpp/' .. name) then
            report(path, number, ('"%s" does not exist'):format(name))
          end
        end
        if mark then
          for _, entry in ipairs(PRIVATE) do
            if vim.fs.basename(name):match(entry[1]) and not vim.tbl_contains(entry[2], room) then
              report(path, number, ('<%s> does not belong in %s/'):format(name, room))
            end
          end
          if (name == 'uv.h' or name:match('^uv/')) and (room == 'base' or room == 'programs') then
            report(path, number, ('%s/ knows nothing of uv'):format(room))
          end
        end
      end
    end
  end
  assert(seen > 0, 'no C++ found under ' .. root)
  -- Neither CMake nor this check would look at them.
  for _, ending in ipairs({ 'h', 'hh', 'hxx', 'ipp', 'c', 'cc', 'cxx' }) do
    for _, path in ipairs(files('cpp/**/*.' .. ending)) do
      report(path, 1, 'C++ of this house is in .hpp and .cpp files')
    end
  end
end

-- blocking -----------------------------------------------------------------------------------------------------------

--- The same text with the insides of comments and strings blanked; positions and lines stay.
local function blank(text)
  local out, i = {}, 1
  local function hide(upto)
    out[#out + 1] = text:sub(i, upto):gsub('[^\n]', ' ')
    i = upto + 1
  end
  while i <= #text do
    local here = text:sub(i, i)
    local level = text:match('^%-%-%[(=*)%[', i)
    if level then
      local _, stop = text:find(']' .. level .. ']', i, true)
      hide(stop or #text)
    elseif text:match('^%-%-', i) then
      hide((text:find('\n', i, true) or #text + 1) - 1)
    elseif here == '[' and text:match('^%[=*%[', i) then
      local _, stop = text:find(']' .. text:match('^%[(=*)%[', i) .. ']', i, true)
      hide(stop or #text)
    elseif here == '"' or here == "'" then
      local j = i + 1
      while j <= #text and text:sub(j, j) ~= here do
        j = j + (text:sub(j, j) == '\\' and 2 or 1)
      end
      out[#out + 1] = here
      i = i + 1
      hide(math.min(j, #text) - 1)
      out[#out + 1] = here
      i = j + 1
    else
      out[#out + 1] = here
      i = i + 1
    end
  end
  return table.concat(out)
end

-- Functions that wait, by their full names; `fn` and `uv` alone are what everybody calls vim.fn and vim.uv.
local WAITS = {}
for name in
  ([[
    vim.fn.system vim.fn.systemlist vim.fn.readfile vim.fn.readblob vim.fn.writefile vim.fn.jobwait vim.fn.rpcrequest
    vim.rpcrequest vim.wait vim.uv.sleep vim.uv.run io.open io.popen io.lines io.read os.execute os.remove os.rename
  ]]):gmatch('%S+')
do
  WAITS[name] = true
end
-- Their first argument is the name of one of vim.fn.
local BY_NAME = { ['vim.call'] = true, ['vim.fn.call'] = true, ['vim.api.nvim_call_function'] = true }
-- What a variable may be another name of.
local SPACES = { vim = true, ['vim.fn'] = true, ['vim.uv'] = true, ['vim.api'] = true, io = true, os = true }

--- True when the last argument of the call that opens at `open` is a callback.
local function ends_in_callback(text, open)
  local depth, start, last = 0, open + 1, nil
  for position = open, #text do
    local here = text:sub(position, position)
    if here == '(' or here == '{' or here == '[' then
      depth = depth + 1
    elseif here == ')' or here == '}' or here == ']' then
      depth = depth - 1
      if depth == 0 then
        last = text:sub(start, position - 1)
        break
      end
    elseif here == ',' and depth == 1 then
      start = position + 1
    end
  end
  last = vim.trim(last or '')
  if last:match('^function%f[^%w_]') or last:match('schedule_wrap%s*%(') then
    return true
  end
  local name = last:match('([%w_]+)$') or last:match('([%w_]+)%s*%(.*%)$') or ''
  return name == 'cb' or name == 'done' or name:match('callback$') or name:match('^on_') or name:match('_cb$')
end

--- a['b'] as a.b, of the same length.
local function with_dots(text, source)
  return (
    text:gsub('()%[%s*([\'"])() *()%2%s*%]()', function(first, _, from, to, after)
      local name = source:sub(from, to - 1)
      return name:match('^[%a_][%w_]*$') and ('.' .. name .. (' '):rep(after - first - #name - 1)) or nil
    end)
  )
end

--- The names joined by dots that begin at `position`, and where they end.
local function chain_at(text, position)
  local chain, after = text:match('^([%a_][%w_]*)()', position)
  while chain do
    local name, further = text:match('^%s*%.%s*([%a_][%w_]*)()', after)
    if not name then
      break
    end
    chain, after = chain .. '.' .. name, further
  end
  return chain, after
end

--- The full name of what a chain means, where `aliases` says what its first name stands for.
local function resolve(chain, aliases)
  local first, rest = chain:gsub('^_G%.', ''):match('^([^.]+)(.*)$')
  return ((aliases[first] or first) .. rest):gsub('^vim%.loop%f[^%w_]', 'vim.uv')
end

--- `local uv, fn = vim.uv or vim.loop, vim.fn`: which variables stand for what.
local function aliases_in(text, source)
  local aliases = { fn = 'vim.fn', uv = 'vim.uv' }
  for names, position in text:gmatch('([%a_][%w_,%s]*)=%s*()') do
    for name in names:gsub('^local%s', ''):gmatch('[%w_]+') do
      local chain, after = chain_at(text, position)
      if not chain then
        break
      end
      local meant = source:match('^require%s*%(?%s*[\'"]luv[\'"]', position) and 'vim.uv'
        or resolve(chain, aliases)
      if SPACES[meant] then
        aliases[name] = meant
      end
      position = text:match('^[^,\n;]*,%s*()', after)
      if not position then
        break
      end
    end
  end
  return aliases
end

--- What makes the editor wait in a call or a mention of `name`, which ends before `after`; nil when nothing does.
local function why_it_waits(name, after, text, source)
  local function_of_uv = name:match('%.(fs_[%w_]+)$')
  if WAITS[name] then
    return name .. ' makes the editor wait'
  elseif
    function_of_uv
    and not function_of_uv:match('^fs_event')
    and not function_of_uv:match('^fs_poll')
  then
    local open = text:match('^%s*()%(', after)
    if not open then
      return ('uv.%s is passed on, not called'):format(function_of_uv)
    elseif not ends_in_callback(text, open) then
      return ('uv.%s without a callback makes the editor wait'):format(function_of_uv)
    end
  elseif name:match('%.wait$') and text:match('^%s*%(', after) then
    return name .. '() makes the editor wait'
  elseif BY_NAME[name] then
    local called = source:match('^%s*%(?%s*[\'"]([%w_]+)', after)
    return called and WAITS['vim.fn.' .. called] and ('vim.fn.%s makes the editor wait'):format(called)
  end
end

local function blocking()
  local paths = vim.list_extend(files('lua/**/*.lua'), files('plugin/**/*.lua'))
  assert(#paths > 0, 'no Lua found under ' .. root)
  for _, path in ipairs(paths) do
    local source = read(path)
    local text = with_dots(blank(source), source)
    for position in text:gmatch('():%s*wait%s*%(') do
      report(path, line_of(text, position), ':wait() makes the editor wait')
    end
    local aliases = aliases_in(text, source)
    local position = text:find('[%a_]')
    while position do
      local chain, after = chain_at(text, position)
      local name = resolve(chain, aliases)
      -- (vim.uv or vim.loop).fs_stat
      if text:sub(1, position - 1):match('%)%s*%.%s*$') then
        name = '().' .. chain
      end
      local why = why_it_waits(name, after, text, source)
      if why then
        report(path, line_of(text, position), why)
      end
      position = text:find('%f[%w_][%a_]', after)
    end
  end
end

-- length -------------------------------------------------------------------------------------------------------------

local function length()
  local all = { 'cpp/**/*.[ch]pp', 'lua/**/*.lua', 'plugin/**/*.lua', 'tests/**/*.lua', 'tests/**/*.[ch]pp' }
  for _, pattern in ipairs(all) do
    for _, path in ipairs(files(pattern)) do
      local _, lines = read(path):gsub('\n', '')
      if lines > 450 then
        print(
          ('warning: %s has %d lines; one subject rarely needs over 400'):format(path:sub(#root + 2), lines)
        )
      end
    end
  end
end

local checks = { rooms = rooms, blocking = blocking, length = length }
assert(checks[check], 'rooms, blocking or length?')()
for _, line in ipairs(found) do
  io.stdout:write(line, '\n')
end
os.exit(#found == 0 and 0 or 1)
