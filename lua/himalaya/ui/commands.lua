-- What the commands do that are about sync and choosing: each one starts it and says in a sentence how it ended.

local actions = require('himalaya.ui.actions')
local config = require('himalaya.config')
local notify = require('himalaya.notify')

local M = {}

---@return table
local function manager()
  return require('himalaya.sync.manager')
end

---@param result table
---@return integer new
---@return string[] failed
local function sum(result)
  local new, failed = 0, {}
  for name, account in vim.spairs(result.accounts) do
    if account.err then
      failed[#failed + 1] = ('%s: %s'):format(name, account.err.message)
    else
      new = new + (account.new or 0)
    end
  end
  return new, failed
end

--- Syncs because the user asked, and says what came of it.
---@param kind 'inbox'|'full'
---@param accounts? string[]
function M.sync(kind, accounts)
  local over = require('himalaya.ui.announce').asked()
  manager().start_sync(kind, { accounts = accounts }, function(err, result)
    over()
    if err then
      if err.code == 'cancelled' then
        notify.action('The sync was cancelled.')
      else
        notify.report(err, 'Nothing was synced', { asked = true })
      end
      return
    end
    local new, failed = sum(result)
    if #failed > 0 then
      notify.error('Not all was synced. ' .. table.concat(failed, ' '))
    end
    notify.action(('Synced; %s new.'):format(new == 0 and 'nothing' or new))
  end)
end

---@param words string
---@return string[]? accounts nil: all
local function accounts_of(words)
  words = vim.trim(words or '')
  if words == '' then
    return nil
  end
  local names = vim.split(words, '%s+')
  for _, name in ipairs(names) do
    if not config.account(name) then
      error(('There is no account `%s`.'):format(name), 0)
    end
  end
  return names
end

--- :HimalayaSyncInbox
---@param given { args: string }
function M.sync_inbox(given)
  M.sync('inbox', accounts_of(given.args))
end

--- :HimalayaSyncFull
---@param given { args: string }
function M.sync_full(given)
  M.sync('full', accounts_of(given.args))
end

---@param lead string
---@return string[]
function M.complete_account(lead)
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, config.account_names())
end

--- :HimalayaCancelSync
function M.cancel_sync()
  if not manager().cancel_sync() then
    notify.action('No sync is running.')
  end
end

--- :HimalayaSyncInfo
function M.sync_info()
  require('himalaya.ui.sync_info').open()
end

--- :HimalayaAutoSyncToggle
function M.toggle_auto_sync()
  if require('himalaya.sync.auto').is_running() then
    manager().stop_auto_sync()
    notify.action('Mail is no longer synced by itself.')
  else
    manager().start_auto_sync()
    notify.action('Mail is synced by itself again.')
  end
end

--- :HimalayaAccounts
function M.accounts()
  local screen = require('himalaya.ui.screen')
  local state = require('himalaya.core.state')
  require('himalaya.ui.picker').pick(require('himalaya.mail').accounts(), {
    prompt = 'Account:',
    kind = 'account',
    show = function(account)
      local unread = state.account(account.name).unread or 0
      local words = account.email and ('%s <%s>'):format(account.name, account.email) or account.name
      return unread > 0 and ('%s (%d)'):format(words, unread) or words
    end,
  }, function(account)
    screen.show(account.name, screen.inbox(account.name))
  end)
end

--- :HimalayaFolder
---@param account? string
function M.folder(account)
  local screen = require('himalaya.ui.screen')
  local shown, folder = screen.here()
  account = account or shown or config.get().default_account
  if not account then
    notify.warn('There is no account yet: see :help himalaya-setup.', { asked = true })
    return
  end
  actions.pick_folder(
    account,
    ('Folder of %s:'):format(account),
    shown == account and folder or nil,
    function(chosen)
      screen.show(account, chosen.path)
    end
  )
end

--- :HimalayaFolder, as a command.
function M.choose_folder()
  M.folder()
end

--- :HimalayaRefresh
function M.refresh()
  require('himalaya.ui.sidebar').refresh()
  require('himalaya.ui.list').refresh()
end

return M
