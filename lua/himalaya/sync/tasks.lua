-- What is synced now and what waits: one task per account and scope, shared by all who asked for the same. Carried out
-- by the native module, each account by itself, so that one that hangs delays no other. What lost its connection
-- is tried again, `performance.retry_attempts` times, before anybody hears of it.

local config = require('himalaya.config')
local endings = require('himalaya.sync.endings')
local errors = require('himalaya.errors')
local events = require('himalaya.events')
local home = require('himalaya.mail.home')
local runs = require('himalaya.sync.runs')
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
--- @field stopped boolean nobody wants it any more: it ends, and is not to be joined
--- @field over boolean
--- @field moved_at integer when its progress last moved, ms
--- @field seen string
--- @field stalled boolean?
--- @field left_by himalaya.sync.Run? the last one that wanted it, which is told when it has ended
--- @field tries integer that the network ended
--- @field may_try_again boolean? when it ends the one under way too
--- @field pause uv.uv_timer_t? until it is tried again
--- @field again_at integer? when that will be, epoch
--- @field failure himalaya.Error? why it is

M.list = {} ---@type himalaya.sync.Task[]
M.started_at = nil ---@type integer?
-- Rises when something begins while nothing ran: what is shown of one batch says nothing of the next.
M.batch = 0

local FIRST_PAUSE_MS = 1000

local watchdog ---@type uv.uv_timer_t?
local on_change = function() end

---@return integer
local function now_ms()
  return math.floor(vim.uv.hrtime() / 1e6)
end

--- Who is told that something here changed.
---@param fn fun()
function M.watch(fn)
  on_change = fn
end

---@return integer
function M.running()
  local count = 0
  for _, task in ipairs(M.list) do
    count = count + (task.started and 1 or 0)
  end
  return count
end

--- The failure after which an account is tried again soonest, where nothing else runs.
---@return himalaya.Error?
---@return integer? at epoch
function M.trying_again()
  local failure, at
  for _, task in ipairs(M.list) do
    if task.started and not task.pause then
      return nil
    elseif task.pause and (not at or task.again_at < at) then
      failure, at = task.failure, task.again_at
    end
  end
  return failure, at
end

---@return boolean
function M.cancelling()
  for _, task in ipairs(M.list) do
    if task.stopped then
      return true
    end
  end
  return false
end

--- What the user should be told of a sync that ended well.
---@param account string
---@param summary table
local function tell(account, summary)
  for _, sentence in ipairs(summary.refused or {}) do
    require('himalaya.notify').error(sentence)
  end
  if #(summary.withheld or {}) > 0 then
    require('himalaya.notify').warn(
      (
        '%s: many messages are missing on the server in %s; they stay here until you '
        .. 'decide with :HimalayaSyncInfo.'
      ):format(account, table.concat(summary.withheld, ', '))
    )
  end
end

---@param account string
---@return boolean
local function has_other(account)
  for _, task in ipairs(M.list) do
    if task.account == account and task.started then
      return true
    end
  end
  return false
end

local start_next

---@param task himalaya.sync.Task
---@param err himalaya.Error?
---@param summary table?
local function task_done(task, err, summary)
  if task.over then
    return
  end
  task.over = true
  if task.pause then
    task.pause:stop()
    task.pause:close()
    task.pause = nil
  end
  for at, each in ipairs(M.list) do
    if each == task then
      table.remove(M.list, at)
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
  local function resting()
    return has_other(task.account) and 'syncing' or endings.has_failed(task.account) and 'backoff' or 'idle'
  end
  if err and (err.code == 'cancelled' or task.kind == 'folder' and err.code == 'not_found') then
    -- That there is no folder of this name says nothing of the account.
    state.update(task.account, { state = resting() })
  elseif err then
    endings.note(task.account, err)
    state.update(task.account, { state = 'backoff', error = err })
  else
    endings.note(task.account, nil)
    state.update(task.account, { state = resting(), error = vim.NIL, last_sync = endings.last_sync })
    tell(task.account, summary or {})
  end
  for _, run in ipairs(task.runs) do
    runs.account_done(run, task.account, err and { err = err } or summary)
  end
  if #M.list == 0 then
    M.started_at = nil
    if watchdog then
      watchdog:stop()
    end
  end
  if task.left_by then
    runs.stopped(task.left_by)
  end
  start_next()
  on_change()
end

-- `sync_timeout` is time without progress, not a limit on a long sync.
local function look_for_stalls()
  local limit = config.get().async.sync_timeout * 1000
  for _, task in ipairs({ unpack(M.list) }) do
    if task.started and task.op and home.is_open(task.account) then
      local standing = require('himalaya.native').mail.standing(task.account)
      local seen = ('%s %s %d %d %d'):format(
        standing.operation,
        standing.folder,
        standing.done,
        standing.total,
        standing.bytes
      )
      if seen ~= task.seen then
        task.seen, task.moved_at = seen, now_ms()
      elseif now_ms() - task.moved_at > limit then
        task.stalled = true
        require('himalaya.native').mail.cancel(task.op)
      end
    end
  end
  on_change()
end

local start_task

--- Whether a task is tried again; then it waits for that, at most a few seconds.
---@param task himalaya.sync.Task
---@param err himalaya.Error
---@return boolean
local function try_again(task, err)
  if not task.may_try_again or task.stopped or task.stalled then
    return false
  elseif not require('himalaya.native').mail.ended_by_network(err.code) then
    return false
  end
  local options = config.get().performance
  -- Accounts of one server that failed together do not come back together.
  local chance = 0.75 + 0.5 * (vim.uv.hrtime() % 1000) / 1000
  local pause = FIRST_PAUSE_MS * chance * (options.exponential_backoff and 2 ^ task.tries or 1)
  task.tries, task.op, task.failure = task.tries + 1, nil, err
  task.again_at = os.time() + math.ceil(pause / 1000)
  task.pause = vim.defer_fn(function()
    task.pause = nil
    start_task(task)
  end, math.ceil(pause))
  state.update(task.account, { state = 'backoff', error = err })
  on_change()
  return true
end

---@param task himalaya.sync.Task
function start_task(task)
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
    task.may_try_again = task.tries < config.get().performance.retry_attempts
    task.op = require('himalaya.native').mail.sync(
      task.account,
      task.kind,
      task.folder,
      function(failure, summary)
        if task.over or not (failure and try_again(task, failure)) then
          task_done(task, failure, summary)
        end
      end,
      task.may_try_again
    )
  end)
  watchdog = watchdog or assert(vim.uv.new_timer())
  if not watchdog:is_active() then
    watchdog:start(1000, 1000, vim.schedule_wrap(look_for_stalls))
  end
end

--- Whether a task may begin: not while the same is under way, and not when too many accounts are.
---@param task himalaya.sync.Task
---@return boolean
local function may_start(task)
  local busy, count = {}, 0
  for _, other in ipairs(M.list) do
    if other.started then
      if other.key == task.key then
        return false
      end
      -- One that waits to be tried again takes nobody's place.
      count = count + ((busy[other.account] or other.pause) and 0 or 1)
      busy[other.account] = busy[other.account] or not other.pause
    end
  end
  return busy[task.account] or count < config.get().sync.max_parallel_accounts
end

function start_next()
  for _, task in ipairs({ unpack(M.list) }) do
    if not task.started and may_start(task) then
      start_task(task)
    end
  end
end

--- Takes a run off; what nobody else wants is ended, and its callback comes when that has happened.
---@param run himalaya.sync.Run
---@return boolean alive
function M.leave(run)
  if run.over then
    return false
  end
  run.over = true
  run.stopping = 1 -- never before the caller has the answer
  for _, task in ipairs({ unpack(M.list) }) do
    for at, each in ipairs(task.runs) do
      if each == run then
        table.remove(task.runs, at)
        break
      end
    end
    if #task.runs == 0 and not task.over and not task.stopped then
      task.stopped = true
      task.left_by = run
      run.stopping = run.stopping + 1
      if task.op then
        require('himalaya.native').mail.cancel(task.op)
      else
        task_done(task, errors.new('cancelled', 'Cancelled.'))
      end
    end
  end
  vim.schedule(function()
    runs.stopped(run)
  end)
  on_change()
  return true
end

--- The task to join, or a new one at the end of the queue. `again`: one that has begun may have passed what this is
--- about already, so it does not count.
---@param run himalaya.sync.Run
---@param account string
---@param again boolean
local function join(run, account, again)
  local key = ('%s %s %s'):format(account, run.kind, run.folder or '')
  for _, task in ipairs(M.list) do
    if task.key == key and not task.over and not task.stopped and not (again and task.started) then
      table.insert(task.runs, run)
      return
    end
  end
  table.insert(M.list, {
    account = account,
    key = key,
    kind = run.kind,
    folder = run.folder,
    runs = { run },
    started = false,
    stopped = false,
    over = false,
    moved_at = 0,
    seen = '',
    tries = 0,
  })
end

---@param kind string
---@param folder string?
---@param accounts string[]
---@param again boolean
---@param cb fun(err?: himalaya.Error, result?: table)
---@return himalaya.sync.Run
function M.run(kind, folder, accounts, again, cb)
  local run = runs.new(kind, folder, accounts, cb)
  if #accounts == 0 then
    vim.schedule(function()
      runs.finish(
        run,
        errors.new('config', 'There is no account to sync.', 'Add one to `accounts` in setup().')
      )
    end)
  else
    M.batch = M.batch + (#M.list == 0 and 1 or 0)
    M.started_at = M.started_at or os.time()
  end
  for _, name in ipairs(accounts) do
    join(run, name, again)
  end
  start_next()
  if #accounts > 0 then
    events.emit('HimalayaSyncStart', { kind = kind, accounts = accounts, folder = folder })
  end
  on_change()
  return run
end

--- Ends everything that runs or waits.
---@return boolean whether there was something
function M.leave_all()
  local any = false
  for _, task in ipairs({ unpack(M.list) }) do
    for _, run in ipairs({ unpack(task.runs) }) do
      any = M.leave(run) or any
    end
  end
  return any
end

return M
