-- Syncs as users see them: started, joined, queued and cancelled here; carried out by the native module, each account
-- by itself, so that one that hangs delays no other.

local config = require('himalaya.config')
local errors = require('himalaya.errors')
local events = require('himalaya.events')
local home = require('himalaya.mail.home')
local state = require('himalaya.core.state')

local M = {}

--- One account's sync under way or waiting, shared by all who asked for the same.
--- @class (exact) himalaya.sync.Task
--- @field account string
--- @field key string
--- @field kind string
--- @field folder string?
--- @field runs himalaya.sync.Run[]
--- @field op integer?
--- @field started boolean
--- @field over boolean
--- @field moved_at integer when its progress last moved, ms
--- @field seen string
--- @field stalled boolean?

--- One call of start_sync.
--- @class (exact) himalaya.sync.Run
--- @field kind string
--- @field folder string?
--- @field accounts string[]
--- @field left integer
--- @field results table<string, table>
--- @field cb fun(err: himalaya.Error?, result: table?)
--- @field over boolean
--- @field began integer

local tasks = {} ---@type himalaya.sync.Task[]
local runs = 0
local started_at, last_sync, last_error ---@type integer?, integer?, himalaya.Error?
local shown_percent = 0
local cancelling = false
local external ---@type table? progress of a source outside
local watchers = {} ---@type fun()[]
local watchdog ---@type uv.uv_timer_t?

---@return integer
local function now_ms()
  return math.floor(vim.uv.hrtime() / 1e6)
end

--- Calls `fn` whenever what get_sync_status() says may have changed.
---@param fn fun()
function M.on_change(fn)
  table.insert(watchers, fn)
end

--- Tells the screen to look again.
function M.notify_ui_update()
  for _, fn in ipairs(watchers) do
    fn()
  end
end

---@return integer
local function running()
  local count = 0
  for _, task in ipairs(tasks) do
    count = count + (task.started and 1 or 0)
  end
  return count
end

local start_next

---@param run himalaya.sync.Run
---@param err himalaya.Error?
local function end_run(run, err)
  run.over = true
  local data = { kind = run.kind, accounts = run.accounts, folder = run.folder }
  if err and err.code == 'cancelled' then
    events.emit('HimalayaSyncCancelled', data)
  elseif err then
    data.err = err
    events.emit('HimalayaSyncFailed', data)
  else
    data.accounts = run.results
    data.duration_ms = now_ms() - run.began
    events.emit('HimalayaSynced', data)
  end
  run.cb(err, not err and { accounts = run.results } or nil)
end

---@param run himalaya.sync.Run
---@param account string
---@param result table
local function account_done(run, account, result)
  if run.over then
    return
  end
  run.results[account] = result
  run.left = run.left - 1
  if run.left > 0 then
    return
  end
  local err
  for _, each in pairs(run.results) do
    if not each.err then
      return end_run(run, nil)
    end
    err = each.err
  end
  end_run(run, err)
end

---@param account string
---@param came { folder: string, ids: integer[] }[]
local function tell_new_mail(account, came)
  for _, each in ipairs(came) do
    events.emit(
      'HimalayaNewMail',
      { account = account, folder = each.folder, ids = each.ids, count = #each.ids }
    )
  end
end

---@param task himalaya.sync.Task
---@param err himalaya.Error?
---@param summary table?
local function task_done(task, err, summary)
  if task.over then
    return
  end
  task.over = true
  for at, each in ipairs(tasks) do
    if each == task then
      table.remove(tasks, at)
      break
    end
  end
  if err and task.stalled then
    err = errors.new(
      'timeout',
      ('The sync of %s made no progress for %d seconds.'):format(
        task.account,
        config.get().async.sync_timeout
      ),
      'It is tried again; see :HimalayaLog.'
    )
  end
  local result = err and { err = err } or summary
  local cancelled = err ~= nil and err.code == 'cancelled'
  if err and not cancelled then
    last_error = err
    state.update(task.account, { state = 'backoff', error = err })
  elseif err then
    state.update(task.account, { state = 'idle' })
  else
    last_sync = os.time()
    state.update(task.account, { state = 'idle', error = vim.NIL, last_sync = last_sync })
    home.count_pending(task.account)
    for _, sentence in ipairs(summary.refused or {}) do
      require('himalaya.notify').error(sentence)
    end
    if #(summary.withheld or {}) > 0 then
      require('himalaya.notify').warn(
        (
          '%s: many messages are missing on the server in %s; they stay here until you '
          .. 'decide with :HimalayaSyncInfo.'
        ):format(task.account, table.concat(summary.withheld, ', '))
      )
    end
    tell_new_mail(task.account, summary.came or {})
  end
  for _, run in ipairs(task.runs) do
    account_done(run, task.account, result)
  end
  if #tasks == 0 then
    started_at, shown_percent, cancelling = nil, 0, false
    if watchdog then
      watchdog:stop()
    end
  end
  start_next()
  M.notify_ui_update()
end

-- `sync_timeout` is time without progress, not a limit on a long sync.
local function look_for_stalls()
  local limit = config.get().async.sync_timeout * 1000
  for _, task in ipairs({ unpack(tasks) }) do
    if task.started and task.op then
      local standing = require('himalaya.native').mail.standing(task.account)
      local seen = ('%s %s %d %d'):format(standing.operation, standing.folder, standing.done, standing.total)
      if seen ~= task.seen then
        task.seen, task.moved_at = seen, now_ms()
      elseif now_ms() - task.moved_at > limit then
        task.stalled = true
        require('himalaya.native').mail.cancel(task.op)
      end
    end
  end
  M.notify_ui_update()
end

---@param task himalaya.sync.Task
local function start_task(task)
  task.started = true
  task.moved_at = now_ms()
  state.update(task.account, { state = 'syncing' })
  home.with(task.account, function(err)
    if task.over then
      return
    end
    if err then
      return vim.schedule(function()
        task_done(task, err)
      end)
    end
    if not (config.account(task.account) or {}).imap then
      return vim.schedule(function()
        task_done(
          task,
          errors.new('unsupported', ('The account %s has no server to sync with.'):format(task.account))
        )
      end)
    end
    task.op = require('himalaya.native').mail.sync(
      task.account,
      task.kind,
      task.folder,
      function(failure, summary)
        task_done(task, failure, summary)
      end
    )
  end)
  watchdog = watchdog or assert(vim.uv.new_timer())
  if not watchdog:is_active() then
    watchdog:start(1000, 1000, vim.schedule_wrap(look_for_stalls))
  end
end

function start_next()
  for _, task in ipairs({ unpack(tasks) }) do
    if running() >= config.get().sync.max_parallel_accounts then
      return
    end
    local waits = task.started
    for _, other in ipairs(tasks) do
      waits = waits or (other.started and other.account == task.account)
    end
    if not waits then
      start_task(task)
    end
  end
end

---@param run himalaya.sync.Run
local function leave(run)
  if run.over then
    return false
  end
  for _, task in ipairs({ unpack(tasks) }) do
    for at, each in ipairs(task.runs) do
      if each == run then
        table.remove(task.runs, at)
        break
      end
    end
    if #task.runs == 0 and not task.over then
      if task.op then
        cancelling = true
        require('himalaya.native').mail.cancel(task.op)
      else
        task_done(task, errors.new('cancelled', 'Cancelled.'))
      end
    end
  end
  run.over = true
  vim.schedule(function()
    run.over = false
    end_run(run, errors.new('cancelled', 'The sync was cancelled.'))
  end)
  M.notify_ui_update()
  return true
end

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
  if opts.accounts ~= nil and not vim.islist(opts.accounts) then
    error('opts.accounts: expected a list of names', 3)
  end
  return opts.account and { opts.account } or opts.accounts or config.account_names()
end

--- Starts a sync, or joins the one of the same scope that is under way or waiting. The callback's `err` is there only
--- when no account succeeded.
---@param kind 'inbox'|'full'|'folder'
---@param opts? { account?: string, accounts?: string[], folder?: string }
---@param cb? fun(err?: himalaya.Error, result?: { accounts: table<string, table> })
---@return { id: integer, cancel: fun(): boolean, close: fun(self: table, cb?: fun()) }
function M.start_sync(kind, opts, cb)
  opts = opts or {}
  local names = wanted_accounts(kind, opts)
  runs = runs + 1
  ---@type himalaya.sync.Run
  local run = {
    kind = kind,
    folder = opts.folder,
    accounts = names,
    left = #names,
    results = {},
    cb = cb or function() end,
    over = false,
    began = now_ms(),
  }
  if #names == 0 then
    vim.schedule(function()
      end_run(run, errors.new('config', 'There is no account to sync.', 'Add one to `accounts` in setup().'))
    end)
  else
    started_at = started_at or os.time()
    events.emit('HimalayaSyncStart', { kind = kind, accounts = names, folder = opts.folder })
  end
  for _, name in ipairs(names) do
    local key = ('%s %s %s'):format(name, kind, opts.folder or '')
    local joined = false
    for _, task in ipairs(tasks) do
      if task.key == key and not task.over then
        table.insert(task.runs, run)
        joined = true
        break
      end
    end
    if not joined then
      table.insert(tasks, {
        account = name,
        key = key,
        kind = kind,
        folder = opts.folder,
        runs = { run },
        started = false,
        over = false,
        moved_at = 0,
        seen = '',
      })
    end
  end
  start_next()
  M.notify_ui_update()
  return {
    id = runs,
    cancel = function()
      return leave(run)
    end,
    close = function(_, closed)
      leave(run)
      if closed then
        vim.schedule(closed)
      end
    end,
  }
end

--- Ends every sync that runs or waits.
---@return boolean whether there was one
function M.cancel_sync()
  local any = false
  for _, task in ipairs({ unpack(tasks) }) do
    for _, run in ipairs({ unpack(task.runs) }) do
      any = leave(run) or any
    end
  end
  return any
end

--- For sources written outside: how far theirs is.
---@param progress { operation?: string, folder?: string, messages_done?: integer, messages_total?: integer,
---  account?: string, kind?: string, percent?: number }
function M.update_progress(progress)
  if type(progress) ~= 'table' then
    error('p: expected a table', 2)
  end
  external = vim.tbl_extend('force', external or { started_at = os.time() }, progress)
  M.notify_ui_update()
end

--- For sources written outside: theirs has ended.
---@param kind string
---@param result? { err?: himalaya.Error }
function M.complete_sync(kind, result)
  local accounts = { external and external.account }
  external = nil
  if result and result.err then
    last_error = result.err
    events.emit('HimalayaSyncFailed', { kind = kind, accounts = accounts, err = result.err })
  else
    last_sync = os.time()
    events.emit(
      'HimalayaSynced',
      { kind = kind, accounts = { [accounts[1] or ''] = result or {} }, duration_ms = 0 }
    )
  end
  M.notify_ui_update()
end

--- Opens push and starts the timer.
function M.start_auto_sync()
  require('himalaya.sync.auto').start()
end

function M.stop_auto_sync()
  require('himalaya.sync.auto').stop()
end

---@return table
function M.get_sync_status()
  local status = {
    state = 'idle',
    accounts = {},
    messages_done = 0,
    messages_total = 0,
    bytes = 0,
    cancellable = false,
    last_sync = last_sync,
    last_error = last_error,
    next_sync = require('himalaya.sync.auto').next_at(),
  }
  if external and #tasks == 0 then
    return vim.tbl_extend('force', status, external, { state = 'external' })
  end
  if #tasks == 0 then
    status.state = last_error and require('himalaya.sync.auto').is_backing_off() and 'backoff' or 'idle'
    return status
  end
  status.state = cancelling and 'cancelling' or running() > 0 and 'syncing' or 'queued'
  status.kind, status.cancellable, status.started_at = tasks[1].kind, true, started_at
  local percent, eta
  for _, task in ipairs(tasks) do
    table.insert(status.accounts, task.account)
    if task.op then
      local standing = require('himalaya.native').mail.standing(task.account)
      status.operation = status.operation or standing.operation
      status.folder = status.folder or (standing.folder ~= '' and standing.folder or nil)
      status.messages_done = status.messages_done + standing.done
      status.messages_total = status.messages_total + standing.total
      percent = math.min(percent or 100, standing.percent or 100)
      eta = standing.eta_seconds and math.max(eta or 0, standing.eta_seconds) or eta
    end
  end
  if status.messages_total > 0 and percent then
    shown_percent = math.max(shown_percent, math.min(percent, 99))
    status.percent = shown_percent
  end
  status.eta_seconds = eta
  return status
end

--- The short form.
---@return { type: string?, status: string, progress: table }
function M.get_sync_info()
  local status = M.get_sync_status()
  return {
    type = status.kind,
    status = status.state,
    progress = {
      operation = status.operation,
      folder = status.folder,
      percent = status.percent,
      messages_done = status.messages_done,
      messages_total = status.messages_total,
    },
  }
end

return M
