-- What is told of a sync by itself: how far one is that the user started, how it ended, in colour and where wanted with
-- the bell, and once what went wrong. What happens in the background is told with `notify.debug` only; a failure that
-- repeats, as every server's that is out of reach, is one message.

local config = require('himalaya.config')
local errors = require('himalaya.errors')
local format = require('himalaya.ui.format')
local live = require('himalaya.ui.live')
local notify = require('himalaya.notify')
local state = require('himalaya.core.state')

local M = {}

local STAYS_S = 5
-- Four times a second is enough for a number that runs.
local PAUSE_NS = 250e6

local asked = 0 -- syncs under way that the user started
local sink ---@type himalaya.ProgressSink?
local shown_at = -math.huge
local ended ---@type { at: number, words: string, group: string }?
local told = {} ---@type table<string, string> the failure that was told last, by account
local listening = false

---@return number seconds
local function now()
  return vim.uv.hrtime() / 1e9
end

---@param words string
---@param group string
local function remember(words, group)
  ended = { at = now(), words = words, group = group }
  vim.defer_fn(function()
    require('himalaya.sync.manager').notify_ui_update()
  end, STAYS_S * 1000 + 50)
end

--- As `state.sync()`, with `ended` for some seconds after a sync.
---@return table
function M.status()
  local status = state.sync()
  if ended and now() - ended.at < STAYS_S then
    status.ended = ended
  end
  return status
end

-- An Esc too many rings in every user interface, whatever 'belloff' says; in a buffer of its own, so that whoever types
-- goes on typing.
local function ring()
  local off, buffer = vim.o.belloff, vim.api.nvim_create_buf(false, true)
  vim.o.belloff = ''
  vim.api.nvim_buf_call(buffer, function()
    pcall(vim.cmd, 'normal! \27')
  end)
  vim.o.belloff = off
  vim.api.nvim_buf_delete(buffer, { force = true })
end

local function progress()
  local status = state.sync()
  local running = status.state == 'syncing' or status.state == 'cancelling'
  local options = config.get().notify
  if not running or not options.progress or not (asked > 0 or options.debug) then
    return
  end
  if vim.uv.hrtime() - shown_at < PAUSE_NS then
    return
  end
  if not sink then
    -- To look for what is installed takes as long as to show something: the one now, the other in the next event.
    sink = require('himalaya.ui.sinks').choose()
    require('himalaya.native').loop.complete(progress)
    return
  end
  shown_at = vim.uv.hrtime()
  sink.show(format.sync_detail(status), status.percent and math.floor(status.percent))
end

---@param words string
---@param failed boolean
local function finish(words, failed)
  if sink then
    sink.finish(words, failed)
    sink, shown_at = nil, -math.huge
  end
end

---@param name string
---@param err himalaya.Error
local function tell_failure(name, err)
  -- Whoever is offline knows; the line of sync says when it is tried again.
  if
    err.code == 'cancelled'
    or err.code == 'offline'
    or err.code == 'timeout'
    or told[name] == err.message
  then
    return
  end
  told[name] = err.message
  -- Before 0.11 what is said as an error inside of an autocommand is shown as an error of that autocommand.
  vim.schedule(function()
    notify.error(('%s: %s'):format(name, errors.sentence(err)))
  end)
end

local on = {}

function on.HimalayaSynced(data)
  local new = 0
  for name, account in pairs(data.accounts) do
    new = new + (account.new or 0)
    if account.err and asked == 0 then
      tell_failure(name, account.err)
    elseif not account.err then
      told[name] = nil
    end
  end
  local words = ('✓ Synced; %s new'):format(new == 0 and 'nothing' or new)
  remember(words, 'HimalayaSyncDone')
  notify.background(('Synced; %d new.'):format(new))
  if asked > 0 and config.get().notify.bell then
    ring()
  end
  finish(words, false)
end

function on.HimalayaSyncFailed(data)
  ended = nil
  for _, name in ipairs(asked == 0 and data.accounts or {}) do
    tell_failure(name, data.err)
  end
  finish(errors.sentence(data.err), true)
end

function on.HimalayaSyncCancelled()
  remember('The sync was cancelled', 'HimalayaSync')
  finish('Cancelled', true)
end

function on.HimalayaNewMail(data)
  notify.status(('%d new in %s of %s.'):format(data.count, data.folder, data.account))
  if config.get().notify.bell then
    ring()
  end
end

--- Listens from now on.
function M.start()
  if listening then
    return
  end
  listening = true
  require('himalaya.ui.highlights').ready()
  live.listen({ sync = progress })
  vim.api.nvim_create_autocmd('User', {
    group = vim.api.nvim_create_augroup('himalaya.announce', { clear = true }),
    pattern = vim.tbl_keys(on),
    desc = 'himalaya: say how a sync ended',
    callback = function(event)
      live.counted(function()
        on[event.match](event.data)
      end)
    end,
  })
end

--- The user starts a sync. What it gives is called when that has ended, after its event.
---@return fun()
function M.asked()
  M.start()
  asked = asked + 1
  return function()
    asked = asked - 1
  end
end

return M
