-- Every option does something: some file names it, in the words in which options are read. What an option changes is
-- shown by the specs of the part it belongs to; this one finds those that no part knows.
local schema = require('himalaya.config.schema')
local root = vim.env.HIMALAYA_ROOT or vim.uv.cwd()

--- The fields that a file reads: `.name` and 'name', in code. A module's name has dots in it, so it is none.
---@param path string
---@return table<string, boolean>
local function fields_of(path)
  local fields = {}
  for _, line in ipairs(vim.fn.readfile(path)) do
    local code = line:gsub('^%s*%-%-.*', ''):gsub('^%s*//.*', '')
    for _, quotes in ipairs({ "'([%w_.]+)'", '"([%w_.]+)"' }) do
      code = code:gsub(quotes, function(name)
        fields[name] = true
        return ''
      end)
    end
    for name in code:gmatch('%.([%a_][%w_]*)') do
      fields[name] = true
    end
  end
  return fields
end

local files = {}
for _, pattern in ipairs({ '/lua/**/*.lua', '/cpp/lua/imap_options.cpp' }) do
  for _, path in ipairs(vim.fn.glob(root .. pattern, true, true)) do
    if not path:find('/himalaya/config', 1, true) and not path:find('/himalaya/health.lua', 1, true) then
      files[path:sub(#root + 2)] = fields_of(path)
    end
  end
end

---@param option himalaya.config.Option
---@return string? path the file that reads it
local function reader(option)
  local path = option.path
  -- A map of names of the user's is read as a whole.
  path = path:gsub('(folders%.roles)%.%w+$', '%1')
  local parent, name = path:match('([%w_*]+)%.([%w_]+)$')
  -- What the module is given as an account's `imap` it reads by itself.
  if path:find('%.imap%.[%w_]+$') or path:find('%.imap%.auth%.[%w_]+$') then
    local module = 'cpp/lua/imap_options.cpp'
    return files[module][name] and module or nil
  end
  for file, fields in vim.spairs(files) do
    if fields[name or path] and (not parent or parent == '*' or fields[parent]) then
      return file
    end
  end
end

describe('every option', function()
  it('is read by some part, or comes with one that the help names', function()
    local unread = {}
    for _, option in ipairs(schema.options()) do
      local skip = option.alias or option.path:find('%*$') or option.type == 'table'
      if not skip and not schema.later(option) and not reader(option) then
        table.insert(unread, option.path)
      end
    end
    assert.same({}, unread)
  end)
end)
