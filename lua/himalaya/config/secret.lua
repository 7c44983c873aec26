-- A password written into the options must not come out again by accident: not through vim.inspect, vim.print,
-- :lua =, vim.json.encode, or a bug report. So it is kept behind a function, which all of these show as a function,
-- and which survives vim.deepcopy.

local M = {}

---@class (exact) himalaya.Secret: function

---@param value string
---@return himalaya.Secret
function M.wrap(value)
  return function()
    return value
  end
end

--- The text behind a secret. Scripts that call `himalaya.imap.open` by themselves may give plain text.
---@param secret himalaya.Secret|string
---@return string
function M.reveal(secret)
  if type(secret) == 'function' then
    return secret()
  end
  return secret
end

return M
