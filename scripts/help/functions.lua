-- Reads the LuaCATS comments of a module: what stands above each `function M.name(...)`, and its classes.

local M = {}

---@class (exact) help.Function
---@field name string
---@field args string
---@field text string[] paragraphs
---@field params { [1]: string, [2]: string, [3]: string }[] name, type, meaning
---@field returns { [1]: string, [2]: string }[] type, name and meaning

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

---@param block string[] comment lines without their dashes
---@return help.Function
local function describe(block)
  local text, params, returns = { '' }, {}, {}
  for _, line in ipairs(block) do
    local name, rest = line:match('^@param%s+(%S+)%s+(.*)$')
    if name then
      local type_, meaning = split_type(rest)
      params[#params + 1] = { name, type_, meaning }
    elseif line:find('^@return') then
      local type_, meaning = split_type((line:gsub('^@return%s+', '')))
      returns[#returns + 1] = { type_, meaning }
    elseif line == '' then
      text[#text + 1] = ''
    elseif not line:find('^@') then
      text[#text] = vim.trim(text[#text] .. ' ' .. line)
    end
  end
  return { text = text, params = params, returns = returns, name = '', args = '' }
end

---@param path string
---@return help.Function[]
function M.of(path)
  local found, block = {}, {}
  for line in io.lines(path) do
    local comment = line:match('^%-%-%-%s?(.*)$')
    local name, args = line:match('^function M[.:]([%w_]+)%((.-)%)')
    if comment then
      block[#block + 1] = comment
    else
      if name and name:sub(1, 1) ~= '_' and #block > 0 then
        local row = describe(block)
        row.name, row.args = name, args
        if row.text[1] ~= '' then
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
  local found, class = {}, nil
  for line in io.lines(path) do
    local name = line:match('^%-%-%-%s?@class%s+%(exact%)%s+([%w_.]+)')
      or line:match('^%-%-%-%s?@class%s+([%w_.]+)')
    local field, rest = line:match('^%-%-%-%s?@field%s+(%S+)%s+(.*)$')
    if name then
      class = vim.list_contains(wanted, name) and { name = name, fields = {} } or nil
      found[#found + 1] = class
    elseif field and class then
      local type_, meaning = split_type(rest)
      table.insert(class.fields, { field, type_, meaning })
    elseif not line:find('^%-%-%-') then
      class = nil
    end
  end
  return found
end

return M
