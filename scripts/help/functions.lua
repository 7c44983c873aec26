-- Reads the LuaCATS comments of a module: what stands above each `function M.name(...)`, and its classes.

local M = {}

---@class (exact) help.Function
---@field name string
---@field args string
---@field text string[] paragraphs
---@field params { [1]: string, [2]: string, [3]: string }[] name, type, meaning
---@field returns { [1]: string, [2]: string }[] type, name and meaning
---@field owner? string

-- A type ends at the first blank outside brackets, quotes and `fun(...): x`.
---@param text string
---@return string type
---@return string rest
local function split_type(text)
  local depth, i = 0, 1
  while i <= #text do
    local c = text:sub(i, i)
    if c:find('[%(%{%[<]') then
      depth = depth + 1
    elseif c:find('[%)%}%]>]') then
      depth = depth - 1
    elseif c == ' ' and depth == 0 and not text:sub(i - 1, i - 1):find('[:,|]') then
      break
    end
    i = i + 1
  end
  return text:sub(1, i - 1), vim.trim(text:sub(i + 1))
end

-- Text as paragraphs, and each tag as one string: its further lines are indented.
---@param block string[] comment lines without their dashes
---@return string[] text
---@return string[] tags
local function sort_lines(block)
  local text, tags = { '' }, {}
  local in_tag = false
  for _, line in ipairs(block) do
    if line:find('^@') then
      tags[#tags + 1] = line
      in_tag = true
    elseif in_tag and line:find('^%s+%S') then
      tags[#tags] = tags[#tags] .. ' ' .. vim.trim(line)
    elseif line == '' then
      text[#text + 1] = ''
    else
      text[#text] = vim.trim(text[#text] .. ' ' .. line)
    end
  end
  return text, tags
end

---@param block string[] comment lines without their dashes
---@return help.Function
local function describe(block)
  local text, tags = sort_lines(block)
  local params, returns = {}, {}
  for _, tag in ipairs(tags) do
    local name, rest = tag:match('^@param%s+(%S+)%s+(.*)$')
    if name then
      local type_, meaning = split_type(rest)
      params[#params + 1] = { name, type_, meaning }
    elseif tag:find('^@return') then
      local type_, meaning = split_type((tag:gsub('^@return%s+', '')))
      returns[#returns + 1] = { type_, meaning }
    end
  end
  return { text = text, params = params, returns = returns, name = '', args = '' }
end

--- The functions of the module and the methods of its classes; `owner` is the class a method belongs to.
---@param path string
---@return help.Function[]
function M.of(path)
  local found, block = {}, {}
  for line in io.lines(path) do
    local comment = line:match('^%-%-%-%s?(.*)$')
    local owner, mark, name, args = line:match('^function (%u%w*)([.:])([%w_]+)%((.-)%)')
    if comment then
      block[#block + 1] = comment
    else
      if name and name:sub(1, 1) ~= '_' and (owner == 'M' or mark == ':') then
        local row = describe(block)
        row.name, row.args, row.owner =
          name, args, owner ~= 'M' and owner:sub(1, 1):lower() .. owner:sub(2) or nil
        if row.text[1] ~= '' or #row.params + #row.returns > 0 then
          found[#found + 1] = row
        end
      end
      block = {}
    end
  end
  return found
end

---@class (exact) help.Class
---@field name string
---@field fields { [1]: string, [2]: string, [3]: string }[]

--- The classes whose names begin with one of `wanted`.
---@param path string
---@param wanted string[]
---@return help.Class[]
function M.classes(path, wanted)
  local found, class, open = {}, nil, nil
  for line in io.lines(path) do
    local more = line:match('^%-%-%-%s%s+(%S.*)$')
    local name = line:match('^%-%-%-%s?@class%s+%(exact%)%s+([%w_.]+)')
      or line:match('^%-%-%-%s?@class%s+([%w_.]+)')
    local field, rest = line:match('^%-%-%-%s?@field%s+(%S+)%s+(.*)$')
    if name then
      class, open = vim.list_contains(wanted, name) and { name = name, fields = {} } or nil, nil
      found[#found + 1] = class
    elseif field and class and field ~= 'private' and field ~= 'package' then
      local type_, meaning = split_type(rest)
      open = { field, type_, meaning }
      table.insert(class.fields, open)
    elseif open and more then
      open[3] = open[3] .. ' ' .. more
    elseif not line:find('^%-%-%-') then
      class = nil
    end
  end
  return found
end

return M
