-- The text for 'statusline', which Neovim asks for at every redraw: made when something changed, kept otherwise.

local config = require('himalaya.config')
local state = require('himalaya.core.state')

local M = {}

local kept = { version = -1, text = '' }

---@return string
local function make()
  local names = config.account_names()
  if #names == 0 then
    return ''
  end
  local unread, busy, failed = nil, false, false
  for _, name in ipairs(names) do
    local account = state.account(name)
    unread = account.unread and (unread or 0) + account.unread or unread
    busy = busy or account.state == 'syncing' or account.state == 'external'
    failed = failed or account.error ~= nil
  end
  local parts = { 'Mail' }
  if unread then
    parts[#parts + 1] = tostring(unread)
  end
  if busy then
    parts[#parts + 1] = '⟳'
  end
  if failed then
    parts[#parts + 1] = '!'
  end
  return table.concat(parts, ' ')
end

--- Whether somebody shows the text, and it is another one by now.
---@return boolean
function M.is_stale()
  return kept.version ~= -1 and kept.version ~= state.version and kept.text ~= make()
end

---@return string
function M.text()
  if kept.version ~= state.version then
    kept.text, kept.version = make(), state.version
  end
  return kept.text
end

return M
