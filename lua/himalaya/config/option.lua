-- How an option is described; config/options/ holds the rows.
--
-- A path with `*` describes every name a user may choose there (an account, a role, a key).
-- A type is what LuaCATS would write: `boolean`, `integer`, `number`, `string`, `path`, `command` (a program and its
-- arguments), `string[]`, `table`, `false`, `function`, quoted words, and several of them with `|` between.
-- `minimum` and `maximum` bound numbers, `pattern` bounds strings, `secret` values are locked away at once.

local M = {}

---@class (exact) himalaya.config.Option
---@field path string
---@field type string
---@field default any
---@field desc string
---@field since string
---@field minimum? number
---@field maximum? number
---@field pattern? string a Lua pattern the string must match
---@field must? string what `pattern` asks for, in words
---@field shown? string how the help writes a default that is worked out
---@field secret? boolean never shown, never said in a message
---@field alias? string the option that this earlier name sets
---@field required? boolean

---@class (exact) himalaya.config.Group
---@field title string
---@field text string
---@field options himalaya.config.Option[]

--- A constructor of rows that came with one version.
---@param since string
---@return fun(path: string, type: string, default: any, desc: string, more?: table): himalaya.config.Option
function M.since(since)
  return function(path, type, default, desc, more)
    local option = { path = path, type = type, default = default, desc = desc, since = since }
    for key, value in pairs(more or {}) do
      option[key] = value
    end
    return option
  end
end

return M
