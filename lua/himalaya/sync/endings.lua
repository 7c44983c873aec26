-- How each account's last sync ended, which is what the sync line and the statusline say when nothing runs.

local config = require('himalaya.config')

local M = {}

M.last_sync = nil ---@type integer? epoch

local failed = {} ---@type { account: string, err: himalaya.Error }[] accounts whose last sync failed, the latest last

--- The latest failure that no success of the same account has followed, of accounts there are.
---@return himalaya.Error?
function M.last_error()
  for at = #failed, 1, -1 do
    if failed[at].account == '' or config.account(failed[at].account) then
      return failed[at].err
    end
  end
end

--- Notes how an account's last sync ended.
---@param account string
---@param err himalaya.Error?
function M.note(account, err)
  failed = vim.tbl_filter(function(each)
    return each.account ~= account
  end, failed)
  if err then
    table.insert(failed, { account = account, err = err })
  else
    M.last_sync = os.time()
  end
end

---@param account string
---@return boolean
function M.has_failed(account)
  for _, each in ipairs(failed) do
    if each.account == account then
      return true
    end
  end
  return false
end

return M
