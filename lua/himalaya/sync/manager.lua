-- Syncs as users and other programs ask for them: started, joined, queued and cancelled, and what is known of them.
-- What runs is kept in himalaya.sync.tasks, how far it is told by himalaya.sync.status.

local config = require('himalaya.config')
local endings = require('himalaya.sync.endings')
local events = require('himalaya.events')
local status = require('himalaya.sync.status')
local tasks = require('himalaya.sync.tasks')

local M = {}

local runs = 0
local watchers = {} ---@type fun()[]

--- Calls `fn` whenever what get_sync_status() says may have changed.
---@param fn fun()
function M.on_change(fn)
  if type(fn) ~= 'function' then
    error('fn: expected a function', 2)
  end
  table.insert(watchers, fn)
end

--- Tells the screen to look again.
function M.notify_ui_update()
  for _, fn in ipairs(watchers) do
    fn()
  end
end
tasks.watch(M.notify_ui_update)

---@param kind any
---@param opts any
---@return string[] accounts
local function wanted_accounts(kind, opts)
  if kind ~= 'inbox' and kind ~= 'full' and kind ~= 'folder' then
    error("kind: expected 'inbox', 'full' or 'folder'", 3)
  end
  if kind == 'folder' and type(opts.folder) ~= 'string' then
    error('opts.folder: expected the path of a folder', 3)
  end
  if opts.account ~= nil and type(opts.account) ~= 'string' then
    error('opts.account: expected a string', 3)
  end
  if opts.accounts ~= nil and (type(opts.accounts) ~= 'table' or not vim.islist(opts.accounts)) then
    error('opts.accounts: expected a list of names', 3)
  end
  local names, known = {}, {}
  for _, name in ipairs(opts.account and { opts.account } or opts.accounts or config.account_names()) do
    if type(name) ~= 'string' then
      error('opts.accounts: expected a list of names', 3)
    end
    if not known[name] then
      known[name] = true
      table.insert(names, name)
    end
  end
  return names
end

--- Starts a sync, or joins the one of the same scope that is under way or waiting; `again` asks for one that begins
--- after now. The callback's `err` is there only when no account succeeded. Where another Neovim leads an account, that
--- one does it, and what it says comes back here. Cancelling a joined handle only takes it off; the last one stops the
--- sync, and its callback comes when that has ended.
---@param kind 'inbox'|'full'|'folder'
---@param opts? { account?: string, accounts?: string[], folder?: string, again?: boolean }
---@param cb? fun(err?: himalaya.Error, result?: { accounts: table<string, himalaya.SyncResult> })
---@return { id: integer, cancel: fun(): boolean, close: fun(self: table, cb?: fun()) }
function M.start_sync(kind, opts, cb)
  if opts ~= nil and type(opts) ~= 'table' then
    error('opts: expected a table', 2)
  end
  if cb ~= nil and type(cb) ~= 'function' then
    error('cb: expected a function', 2)
  end
  opts = opts or {}
  local names = wanted_accounts(kind, opts)
  runs = runs + 1
  local folder = kind == 'folder' and opts.folder or nil
  local run = tasks.run(kind, folder, names, opts.again == true, cb or function() end)
  return {
    id = runs,
    cancel = function()
      return tasks.leave(run)
    end,
    close = function(_, closed)
      tasks.leave(run)
      if closed then
        vim.schedule(closed)
      end
    end,
  }
end

--- Ends every sync that runs or waits.
---@return boolean whether there was one
function M.cancel_sync()
  return tasks.leave_all()
end

local KINDS = { inbox = true, full = true, folder = true }

---@class (exact) himalaya.OutsideProgress
---@field operation? string
---@field folder? string
---@field account? string
---@field kind? 'inbox'|'full'|'folder'
---@field messages_done? integer
---@field messages_total? integer
---@field percent? number never shown to run backwards
local OUTSIDE = {
  operation = 'string',
  folder = 'string',
  account = 'string',
  kind = 'string',
  messages_done = 'number',
  messages_total = 'number',
  percent = 'number',
}

--- For sources written outside: how far theirs is.
---@param p himalaya.OutsideProgress
function M.update_progress(p)
  if type(p) ~= 'table' then
    error('p: expected a table', 2)
  end
  for field, kind in pairs(OUTSIDE) do
    if p[field] ~= nil and type(p[field]) ~= kind then
      error(('p.%s: expected a %s'):format(field, kind), 2)
    end
  end
  if p.kind and not KINDS[p.kind] then
    error("p.kind: expected 'inbox', 'full' or 'folder'", 2)
  end
  status.update_outside(p)
  M.notify_ui_update()
end

--- For sources written outside: theirs has ended.
---@param kind 'inbox'|'full'|'folder'
---@param result? { err?: himalaya.Error, account?: string }
function M.complete_sync(kind, result)
  if not KINDS[kind] then
    error("kind: expected 'inbox', 'full' or 'folder'", 2)
  end
  if result ~= nil and type(result) ~= 'table' then
    error('result: expected a table', 2)
  end
  local account = result and result.account or status.outside and status.outside.account
  status.outside = nil
  local err = result and result.err
  endings.note(account or '', err)
  if err then
    events.emit('HimalayaSyncFailed', { kind = kind, accounts = { account }, err = err })
  else
    local accounts = account and { [account] = result or {} } or {}
    events.emit('HimalayaSynced', { kind = kind, accounts = accounts, duration_ms = 0 })
  end
  M.notify_ui_update()
end

--- Opens push and starts the timer.
function M.start_auto_sync()
  require('himalaya.sync.auto').start()
end

--- Closes push and stops the timer; syncs under way go on.
function M.stop_auto_sync()
  require('himalaya.sync.auto').stop()
end

--- What is known of syncs now, from memory.
---@return himalaya.SyncStatus
function M.get_sync_status()
  return status.get()
end

--- The short form.
---@return { type: string?, status: string, progress: table }
function M.get_sync_info()
  return status.info()
end

return M
