-- Syncs that nobody asked for: a while after the start, every `interval`, when the server pushes, and when something
-- the user did waits to be sent. After failures the pauses grow.

local config = require('himalaya.config')

local M = {}

-- What the user does in quick succession goes out together.
local GATHER_MS = 200
-- Deletions for good wait ten seconds for `undo`; a moment later they can go.
local AFTER_UNDO_MS = 11000
local FIRST_BACKOFF = 30

local timer ---@type uv.uv_timer_t?
local running = false
local failures = 0
local next_at ---@type integer?
local gathering = {} ---@type table<string, boolean>

---@return table
local function manager()
  return require('himalaya.sync.manager')
end

---@param seconds number
local function arm(seconds)
  timer = timer or assert(vim.uv.new_timer())
  next_at = os.time() + math.floor(seconds)
  timer:start(
    math.max(1, math.floor(seconds * 1000)),
    0,
    vim.schedule_wrap(function()
      M.sync_now()
    end)
  )
end

--- Pauses double from half a minute up to the interval.
---@return number seconds
local function pause()
  local interval = config.get().sync.interval
  if failures == 0 then
    return interval
  end
  return math.min(interval, FIRST_BACKOFF * 2 ^ (failures - 1))
end

function M.sync_now()
  manager().start_sync('full', {}, function(err)
    local failed = err and err.code ~= 'cancelled'
    failures = failed and failures + 1 or 0
    if running then
      arm(pause())
    end
  end)
end

---@param name string
local function push(name)
  local home = require('himalaya.mail.home')
  home.with(name, function(err)
    if err or not running then
      return
    end
    require('himalaya.native').mail.push(name, 'INBOX', function()
      if running then
        manager().start_sync('inbox', { account = name })
      end
    end)
  end)
end

--- Opens push at once and starts the timer; `startup_delay` holds only the first sync.
function M.start()
  if running then
    return
  end
  running = true
  failures = 0
  require('himalaya.ui.announce').start()
  if config.get().sync.push then
    for _, name in ipairs(config.account_names()) do
      push(name)
    end
  end
  arm(config.get().async.startup_delay)
end

function M.stop()
  running = false
  next_at = nil
  if timer then
    timer:stop()
  end
  local home = require('himalaya.mail.home')
  for _, name in ipairs(config.account_names()) do
    if home.is_open(name) then
      require('himalaya.native').mail.push(name, 'INBOX', nil)
    end
  end
end

---@return boolean
function M.is_running()
  return running
end

---@return boolean
function M.is_backing_off()
  return failures > 0
end

---@return integer? epoch seconds
function M.next_at()
  return next_at
end

---@param account string
local function carry(account)
  gathering[account] = nil
  manager().start_sync('inbox', { account = account })
end

--- The user did something that the server should know.
---@param account string
function M.after_action(account)
  local options = config.get()
  local of = config.account(account)
  if gathering[account] or not (of and of.imap and options.async.enabled and options.sync.auto) then
    return
  end
  gathering[account] = true
  vim.defer_fn(function()
    carry(account)
  end, GATHER_MS)
  vim.defer_fn(function()
    if not require('himalaya.mail.home').is_open(account) then
      return
    end
    require('himalaya.native').mail.pending(account, function(err, count)
      if not err and count > 0 then
        carry(account)
      end
    end)
  end, AFTER_UNDO_MS)
end

return M
