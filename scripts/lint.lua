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

-- Headers of others that only some rooms may see, and why.
local PRIVATE = {
  { '^lua%.h', { 'lua' } },
  { '^lua%.hpp', { 'lua' } },
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
  for _, path in ipairs(vim.list_extend(files('cpp/**/*.hpp'), files('cpp/**/*.cpp'))) do
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
        local mark, name = line:match('^%s*#%s*include%s*([<"])([^">]+)[">]')
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
            if name:match(entry[1]) and not vim.tbl_contains(entry[2], room) then
              report(path, number, ('<%s> does not belong in %s/'):format(name, room))
            end
          end
          if name == 'uv.h' and (room == 'base' or room == 'programs') then
            report(path, number, ('%s/ knows nothing of uv'):format(room))
          end
        end
      end
    end
  end
  assert(seen > 0, 'no C++ found under ' .. root)
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

-- Each pattern is looked for after a character that is no part of a name.
local WAITS = {
  { 'fn%.system%f[^%w_]', 'vim.fn.system' },
  { 'fn%.systemlist%f[^%w_]', 'vim.fn.systemlist' },
  { 'fn%.readfile%f[^%w_]', 'vim.fn.readfile' },
  { 'fn%.readblob%f[^%w_]', 'vim.fn.readblob' },
  { 'fn%.writefile%f[^%w_]', 'vim.fn.writefile' },
  { 'fn%.jobwait%f[^%w_]', 'vim.fn.jobwait' },
  { 'fn%.rpcrequest%f[^%w_]', 'vim.fn.rpcrequest' },
  { 'vim%.rpcrequest%f[^%w_]', 'vim.rpcrequest' },
  { 'io%.open%f[^%w_]', 'io.open' },
  { 'io%.popen%f[^%w_]', 'io.popen' },
  { 'io%.lines%f[^%w_]', 'io.lines' },
  { 'io%.read%f[^%w_]', 'io.read' },
  { 'os%.execute%f[^%w_]', 'os.execute' },
  { 'os%.remove%f[^%w_]', 'os.remove' },
  { 'os%.rename%f[^%w_]', 'os.rename' },
  { 'vim%.wait%f[^%w_]', 'vim.wait' },
  { 'uv%.sleep%f[^%w_]', 'uv.sleep' },
  { 'uv%.run%f[^%w_]', 'uv.run' },
}
-- fn['system'] and nvim_call_function('system'): the name is in a string, so the text before blanking is asked.
local NAMED = { 'system', 'systemlist', 'readfile', 'readblob', 'writefile', 'jobwait', 'rpcrequest' }

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

local function blocking()
  local paths = vim.list_extend(files('lua/**/*.lua'), files('plugin/**/*.lua'))
  assert(#paths > 0, 'no Lua found under ' .. root)
  for _, path in ipairs(paths) do
    local source = read(path)
    local text = blank(source)
    for _, entry in ipairs(WAITS) do
      for position in text:gmatch('%f[%w_]()' .. entry[1]) do
        report(path, line_of(text, position), entry[2] .. ' makes the editor wait')
      end
    end
    for position in text:gmatch('():%s*wait%s*%(') do
      report(path, line_of(text, position), ':wait() makes the editor wait')
    end
    for position, name, open in text:gmatch('%f[%w_]()uv%.(fs_[%w_]+)%s*()') do
      -- fs_poll and fs_event objects only watch; what is not called here is a value whose call is elsewhere.
      if text:sub(open, open) ~= '(' then
        report(path, line_of(text, position), ('uv.%s is passed on, not called'):format(name))
      elseif not ends_in_callback(text, open) then
        report(path, line_of(text, position), ('uv.%s without a callback makes the editor wait'):format(name))
      end
    end
    for _, name in ipairs(NAMED) do
      for _, quoted in ipairs({ "'" .. name .. "'", '"' .. name .. '"' }) do
        local from = 1
        while true do
          local position = source:find(quoted, from, true)
          if not position then
            break
          end
          local before = text:sub(math.max(1, position - 40), position - 1)
          if before:match('fn%s*%[%s*$') or before:match('nvim_call_function%s*%(?%s*$') then
            report(path, line_of(source, position), name .. ' makes the editor wait')
          end
          from = position + #quoted
        end
      end
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
