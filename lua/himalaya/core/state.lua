-- What is known now of accounts and sync, kept by those who learn of it and read by everything that draws. Reading
-- never asks anybody: the sync engine and the store put in what changed.

local config = require('himalaya.config')

local M = {}

---@class (exact) himalaya.AccountState
---@field unread? integer nil as long as nobody counted
---@field state string as in `get_sync_status()`
---@field last_sync? integer epoch seconds
---@field error? table the last error, nil after a success
---@field pending_ops integer changes that wait to be sent

local known = {} ---@type table<string, table>
local role = 'alone'

--- Rises with every change, so that what was drawn from older knowledge can be told.
M.version = 0

local IDLE =
  { state = 'idle', accounts = {}, messages_done = 0, messages_total = 0, bytes = 0, cancellable = false }

local function changed()
  M.version = M.version + 1
end
config.watch('himalaya.core.state', changed)

--- Takes over what `fields` has for an account; a field set to vim.NIL is forgotten.
---@param name string
---@param fields table
function M.update(name, fields)
  local account = known[name] or {}
  known[name] = account
  for key, value in pairs(fields) do
    account[key] = value ~= vim.NIL and value or nil
  end
  changed()
end

---@param now 'primary'|'secondary'|'alone'
function M.set_role(now)
  role = now
  changed()
end

---@param name string
---@return himalaya.AccountState
function M.account(name)
  local account = known[name] or {}
  return {
    unread = account.unread,
    state = account.state or 'idle',
    last_sync = account.last_sync,
    error = account.error,
    pending_ops = account.pending_ops or 0,
  }
end

---@return table sync as `himalaya.sync.manager` gives it
function M.sync()
  local manager = package.loaded['himalaya.sync.manager']
  return manager and manager.get_sync_status() or vim.deepcopy(IDLE)
end

---@return { accounts: table<string, himalaya.AccountState>, sync: table, role: string }
function M.status()
  local accounts = {}
  for name in pairs(config.get().accounts) do
    accounts[name] = M.account(name)
  end
  return { accounts = accounts, sync = M.sync(), role = role }
end

return M
