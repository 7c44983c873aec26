-- What a user wrote, held against the schema: what is right is taken, what is wrong is said with its path, and one
-- mistake never costs the rest. Messages show a path and what was expected; of values they show only quoted words
-- and numbers, and under `auth` nothing at all.

local nearest = require('himalaya.nearest')
local schema = require('himalaya.config.schema')
local secret = require('himalaya.config.secret')

local M = {}

---@class (exact) himalaya.config.Problem
---@field path string
---@field message string one sentence

---@class (exact) himalaya.config.Node
---@field option? himalaya.config.Option
---@field children table<string, himalaya.config.Node>
---@field any? himalaya.config.Node

---@return himalaya.config.Node
local function grow()
  local root = { children = {} }
  for _, option in ipairs(schema.options()) do
    local node = root
    for part in option.path:gmatch('[^.]+') do
      if part == '*' then
        node.any = node.any or { children = {} }
        node = node.any
      else
        node.children[part] = node.children[part] or { children = {} }
        node = node.children[part]
      end
    end
    node.option = option
  end
  return root
end

M.tree = grow()

local BASES = {
  boolean = 'true or false',
  integer = 'a whole number',
  number = 'a number',
  string = 'a string',
  path = 'a path',
  command = 'a program and its arguments as a list of strings',
  ['string[]'] = 'a list of strings',
  table = 'a table',
  ['function'] = 'a function',
  ['false'] = 'false',
}

---@param value any
local function is_string_list(value)
  if type(value) ~= 'table' or not vim.islist(value) then
    return false
  end
  for _, item in ipairs(value) do
    if type(item) ~= 'string' or item:find('%z') then
      return false
    end
  end
  return true
end

---@param kind string one member of a type
---@param value any
local function fits(kind, value)
  local word = kind:match("^'(.*)'$")
  if word then
    return value == word
  elseif kind == 'integer' then
    return type(value) == 'number' and value % 1 == 0
  elseif kind == 'number' then
    return type(value) == 'number' and value == value
  elseif kind == 'path' or kind == 'string' then
    return type(value) == 'string'
  elseif kind == 'string[]' then
    return is_string_list(value)
  elseif kind == 'command' then
    return is_string_list(value) and #value > 0 and value[1] ~= ''
  elseif kind == 'false' then
    return value == false
  end
  return type(value) == kind
end

---@param type_ string
---@return string in words
local function in_words(type_)
  local words = {}
  for kind in type_:gmatch('[^|]+') do
    words[#words + 1] = BASES[kind] or kind
  end
  if #words == 1 then
    return words[1]
  end
  return table.concat(words, ', ', 1, #words - 1) .. ' or ' .. words[#words]
end

---@param option himalaya.config.Option
---@param value any
---@return string
local function what_it_is(option, value)
  if type(value) == 'number' and not option.path:find('.auth', 1, true) then
    return tostring(value)
  end
  if value == false or value == true then
    return tostring(value)
  end
  return type(value) == 'table' and 'a table' or 'a ' .. type(value)
end

---@param option himalaya.config.Option
---@param value any
---@return string? wrong what is wrong, to be put behind the path
local function check(option, value)
  local words = {}
  for kind in option.type:gmatch('[^|]+') do
    if fits(kind, value) then
      words = nil
      break
    end
    words[#words + 1] = kind:match("^'(.*)'$")
  end
  if words then
    if type(value) == 'string' and #words > 0 and not option.path:find('.auth.', 1, true) then
      local shown = value:gsub('[%c\127]', '?'):sub(1, 40)
      local near = nearest.of(value, words)
      return ("must be %s, not '%s'; the nearest is '%s'"):format(in_words(option.type), shown, near)
    end
    return ('must be %s, not %s'):format(in_words(option.type), what_it_is(option, value))
  end
  if type(value) == 'number' and option.minimum then
    local most = option.maximum
    if value < option.minimum or (most and value > most) or value == math.huge then
      local range = most and ('between %s and %s'):format(option.minimum, most)
        or ('a number of at least %s'):format(option.minimum)
      return ('must be %s, not %s'):format(range, value)
    end
  elseif type(value) == 'string' then
    if not option.secret and value:find('[%c\127]') then
      return 'must be one line without control characters'
    end
    if option.type == 'path' and value == '' then
      return 'must not be empty'
    end
    if option.pattern and not value:find(option.pattern) then
      return 'must ' .. option.must
    end
  end
end

---@param path string
---@param key any
---@return string
local function join(path, key)
  if type(key) ~= 'string' then
    return ('%s[%s]'):format(path, tostring(key))
  end
  if not key:find('^[%w_@-][%w._@-]*$') or #key > 64 then
    key = '["' .. key:gsub('[%c\127"\\]', '?'):sub(1, 64) .. '"]'
    return path .. key
  end
  return path == '' and key or path .. '.' .. key
end

---@class himalaya.config.Walk
---@field problems himalaya.config.Problem[]

---@param problems himalaya.config.Problem[]
---@param path string
---@param message string
local function report(problems, path, message)
  problems[#problems + 1] = { path = path, message = message }
end

--- Where a word that is no key here is a key elsewhere: `interval` is `sync.interval`.
---@param key string
---@return string?
local function elsewhere(key)
  for _, option in ipairs(schema.options()) do
    if not option.alias and option.path:match('[^.]+$') == key and not option.path:find('*', 1, true) then
      return option.path
    end
  end
end

---@param node himalaya.config.Node
---@param path string
---@param key any
---@param problems himalaya.config.Problem[]
local function unknown(node, path, key, problems)
  local full = join(path, key)
  if type(key) ~= 'string' then
    report(problems, full, ('`%s` is not an option: this table has named keys only.'):format(full))
    return
  end
  local near, close = nearest.of(key, vim.tbl_keys(node.children))
  local other = not close and elsewhere(key) or nil
  if other then
    report(problems, full, ('`%s` is not an option; did you mean `%s`?'):format(full, other))
  elseif near then
    local ask = close and 'did you mean `%s`?' or 'the nearest is `%s`.'
    report(problems, full, ('`%s` is not an option; ' .. ask):format(full, join(path, near)))
  else
    report(problems, full, ('`%s` is not an option.'):format(full))
  end
end

---@param node himalaya.config.Node
---@param given table
---@param path string
---@param problems himalaya.config.Problem[]
---@return table taken
local function walk(node, given, path, problems)
  local taken = {}
  for key, value in pairs(given) do
    local child = type(key) == 'string' and (node.children[key] or node.any)
    local full = join(path, key)
    if not child then
      unknown(node, path, key, problems)
    else
      local option = child.option
      local is_branch = next(child.children) ~= nil or child.any ~= nil
      local wrong
      if option then
        wrong = check(option, value)
      elseif type(value) ~= 'table' then
        wrong = 'must be a table, not a ' .. type(value)
      end
      if wrong then
        report(problems, full, ('`%s` %s.'):format(full, wrong))
      elseif is_branch and type(value) == 'table' then
        taken[key] = walk(child, value, full, problems)
      elseif option and option.secret then
        taken[key] = secret.wrap(value)
      elseif option and option.type == 'path' then
        taken[key] = vim.fs.normalize(value)
      else
        taken[key] = type(value) == 'table' and vim.deepcopy(value) or value
      end
    end
  end
  return taken
end

--- What of `given` is right, as a new table, and what is wrong.
---@param given table
---@return table taken
---@return himalaya.config.Problem[]
function M.run(given)
  local problems = {}
  local taken = walk(M.tree, given, '', problems)
  return taken, problems
end

--- Puts the defaults of `node` into `into` where nothing is yet.
---@param node himalaya.config.Node
---@param into table
function M.fill(node, into)
  for key, child in pairs(node.children) do
    local option = child.option
    if next(child.children) or child.any then
      if into[key] == nil and not option then
        into[key] = {}
      elseif into[key] == nil and option and option.default ~= nil then
        into[key] = vim.deepcopy(option.default)
      end
      if type(into[key]) == 'table' then
        M.fill(child, into[key])
      end
    elseif into[key] == nil and option and option.default ~= nil then
      into[key] = type(option.default) == 'table' and vim.deepcopy(option.default) or option.default
    end
  end
end

return M
