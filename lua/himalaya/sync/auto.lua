-- Syncs that nobody asked for: a while after the start, every `interval`, when the server pushes, and when something
-- the user did waits to be sent. After failures the pauses grow, for each account by itself.
--
-- Of several Neovims only the one that leads an account watches it, over one connection: the inbox, and the folder
-- that was looked at last. Where the server has NOTIFY it hears of both at once; where it has only IDLE, of the inbox
-- at once and of the other folder within a minute. All other folders come with the timer.

local config = require('himalaya.config')

local M = {}

-- What the user does in quick succession goes out together.
local GATHER_MS = 200
-- Deletions for good wait ten seconds for `undo`; a moment later they can go.
local AFTER_UNDO_MS = 11000
-- Whoever leafs through folders has not come to stay.
local SETTLE_MS = 2000
local FIRST_BACKOFF = 30
-- With `async.background_priority` the timer's syncs wait for a moment without a key, but not for ever.
local QUIET_MS = 1000
local LONGEST_WAIT_MS = 30000

---@class (exact) himalaya.sync.Plan
---@field failures integer in a row
---@field due number ms of the clock that nobody sets: neither may hold up a sync nor bring it forward

local timer ---@type uv.uv_timer_t?
local running = false
local waits = false -- for a quiet moment
local typing = vim.api.nvim_create_namespace('himalaya.typing')
local plans = {} ---@type table<string, himalaya.sync.Plan>
local gathering = {} ---@type table<string, boolean>
local looked_at = {} ---@type table<string, string>
local settling = {} ---@type table<string, boolean>
local pushes = false -- as the options had it last

---@return table
local function manager()
  return require('himalaya.sync.manager')
end

---@return table
local function mail()
  return require('himalaya.native').mail
end

--- Pauses double from half a minute up to the interval, or stay at half a minute.
---@param failures integer
---@return number seconds
local function pause(failures)
  local options = config.get()
  local interval = options.sync.interval
  if failures == 0 then
    return interval
  end
  return math.min(
    interval,
    FIRST_BACKOFF * (options.performance.exponential_backoff and 2 ^ (failures - 1) or 1)
  )
end

---@return number
local function now_ms()
  return vim.uv.hrtime() / 1e6
end

---@return number? milliseconds until the account whose turn is next
local function time_left()
  local due
  for _, plan in pairs(running and plans or {}) do
    due = math.min(due or plan.due, plan.due)
  end
  return due and math.max(0, due - now_ms())
end

---@return integer? epoch seconds
function M.next_at()
  local left = time_left()
  return left and os.time() + math.ceil(left / 1000) or nil
end

-- One timer for all: it waits for the account whose turn is next.
local function arm()
  local left = time_left()
  if not left then
    return
  end
  timer = timer or assert(vim.uv.new_timer())
  timer:start(
    math.ceil(left),
    0,
    vim.schedule_wrap(function()
      M.sync_now()
    end)
  )
end

---@param name string
---@param failed boolean
local function plan_next(name, failed)
  local plan = plans[name]
  if plan then
    plan.failures = failed and plan.failures + 1 or 0
    plan.due = now_ms() + pause(plan.failures) * 1000
    arm()
  end
end

--- Whether somebody else looks after the account, and did so lately.
---@param name string
---@param done fun(cared_for: boolean)
local function ask_whether_cared_for(name, done)
  local home = require('himalaya.mail.home')
  if not home.is_open(name) or mail().standing(name).leads or not mail().standing(name).led_by then
    return done(false)
  end
  mail().runs(name, 1, function(err, runs)
    local last = not err and runs[1]
    done(last ~= nil and last ~= false and math.abs(os.time() - last.started_at) < config.get().sync.interval)
  end)
end

---@param name string
local function sync_account(name)
  ask_whether_cared_for(name, function(cared_for)
    if cared_for then
      return plan_next(name, false)
    end
    manager().start_sync('full', { account = name }, function(err)
      plan_next(name, err ~= nil and err.code ~= 'cancelled')
    end)
  end)
end

--- Calls `fn` when nobody types.
---@param fn fun()
local function when_quiet(fn)
  if not config.get().async.background_priority then
    return fn()
  end
  local began = now_ms()
  local last_key = began
  vim.on_key(function()
    last_key = now_ms()
  end, typing)
  local function look()
    local now = now_ms()
    local left = math.min(last_key + QUIET_MS, began + LONGEST_WAIT_MS) - now
    if left > 0 then
      vim.defer_fn(look, math.ceil(left))
    else
      vim.on_key(nil, typing)
      fn()
    end
  end
  vim.defer_fn(look, QUIET_MS)
end

local function sync_due()
  local now = now_ms()
  for _, name in ipairs(config.account_names()) do
    local plan = plans[name]
    if plan and plan.due <= now then
      plan.due = now + config.get().sync.interval * 1000 -- until it is known how this one ends
      sync_account(name)
    end
  end
  arm()
end

--- Syncs those whose time has come, at a quiet moment.
function M.sync_now()
  if waits then
    return
  end
  waits = true
  when_quiet(function()
    waits = false
    if running then
      sync_due()
    end
  end)
end

---@param account string
---@param path string
local function sync_folder(account, path)
  if path == 'INBOX' then
    manager().start_sync('inbox', { account = account, again = true })
  else
    manager().start_sync('folder', { account = account, folder = path, again = true })
  end
end

---@param name string
local function tell_push(name)
  if not (running and plans[name] and config.get().sync.push) then
    return mail().push(name, nil)
  end
  local folders = { 'INBOX' }
  if looked_at[name] and looked_at[name] ~= 'INBOX' then
    table.insert(folders, looked_at[name])
  end
  mail().push(name, folders, function(path)
    if running then
      sync_folder(name, path)
    end
  end)
end
require('himalaya.mail.home').on_open(function(name)
  if running then
    tell_push(name)
  end
end)

---@param name string
local function push(name)
  local home = require('himalaya.mail.home')
  if home.is_open(name) then
    tell_push(name)
  else
    home.with(name, function() end) -- then it is told of
  end
end

--- A folder was looked at: the server is asked to tell of what changes there.
---@param account string
---@param folder string
function M.look(account, folder)
  if not running or not config.get().sync.push or looked_at[account] == folder then
    return
  end
  looked_at[account] = folder
  if settling[account] then
    return
  end
  settling[account] = true
  vim.defer_fn(function()
    settling[account] = nil
    if running then
      push(account)
    end
  end, SETTLE_MS)
end

-- Plans for the accounts there are now; those that are new begin as at the start.
local function plan_all()
  local options = config.get()
  local changed = pushes ~= options.sync.push
  pushes = options.sync.push
  for name in pairs(plans) do
    if not vim.tbl_get(options.accounts, name, 'imap') then
      plans[name], looked_at[name] = nil, nil
    elseif changed then
      push(name)
    end
  end
  for _, name in ipairs(config.account_names()) do
    local plan = plans[name]
    if plan then
      plan.due = math.min(plan.due, now_ms() + options.sync.interval * 1000)
    elseif config.account(name).imap then
      plans[name] = { failures = 0, due = now_ms() + options.async.startup_delay * 1000 }
      if options.sync.push then
        push(name)
      end
    end
  end
  arm()
end

--- Opens push at once and starts the timer; `startup_delay` holds only the first sync.
function M.start()
  if running then
    return
  end
  running = true
  require('himalaya.ui.announce').start()
  plan_all()
end

config.watch('himalaya.sync.auto', function()
  vim.schedule(function()
    if running then
      plan_all()
    end
  end)
end)

function M.stop()
  running = false
  plans, looked_at = {}, {}
  if timer then
    timer:stop()
  end
  local home = require('himalaya.mail.home')
  for _, name in ipairs(config.account_names()) do
    if home.is_open(name) then
      mail().push(name, nil)
    end
  end
end

---@return boolean
function M.is_running()
  return running
end

--- Whether an account waits longer than it should, as its last syncs failed.
---@return boolean
function M.is_backing_off()
  for _, plan in pairs(plans) do
    if plan.failures > 0 then
      return true
    end
  end
  return false
end

---@param account string
local function carry(account)
  manager().start_sync('inbox', { account = account, again = true })
end

---@param account string
local function carry_if_pending(account)
  if not require('himalaya.mail.home').is_open(account) then
    return
  end
  mail().ready(account, function(err, count)
    if not err and count > 0 then
      carry(account)
    end
  end)
end

---@param account string
---@return boolean
local function may_act(account)
  local options, of = config.get(), config.account(account)
  return of ~= nil and of.imap ~= nil and options.async.enabled and options.sync.auto
end

--- The user did something that the server should know.
---@param account string
function M.after_action(account)
  if gathering[account] or not may_act(account) then
    return
  end
  gathering[account] = true
  vim.defer_fn(function()
    gathering[account] = nil
    carry(account)
  end, GATHER_MS)
  vim.defer_fn(function()
    carry_if_pending(account)
  end, AFTER_UNDO_MS)
end

--- Another Neovim's user did something. It asks for a sync itself where its options say so; the one that leads sees to
--- what is left.
---@param account string
function M.after_others_action(account)
  local open = require('himalaya.mail.home').is_open(account)
  if not running or not open or not mail().standing(account).leads then
    return
  end
  for _, wait in ipairs({ GATHER_MS * 3, AFTER_UNDO_MS }) do
    vim.defer_fn(function()
      carry_if_pending(account)
    end, wait)
  end
end

return M
