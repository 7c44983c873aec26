-- What a sync does, for those who want to watch: a bar with percent, rate and time left for the whole, and a line per
-- account; in a float that can stop it, and as a progress message where Neovim has those (0.12).

local dates = require('himalaya.ui.dates')
local format = require('himalaya.ui.format')
local sparkline = require('himalaya.ui.sparkline')
local text = require('himalaya.ui.text')

local M = {}

local BAR = 30
local STATES = {
  idle = 'idle',
  queued = 'waits',
  syncing = 'syncs',
  cancelling = 'stops',
  backoff = 'waits after a failure',
  external = 'another program syncs',
}

---@class himalaya.ProgressRow: himalaya.Row

---@param row himalaya.Row
---@param words string
---@param group? string
local function add(row, words, group)
  if group and words ~= '' then
    row.spans[#row.spans + 1] = { #row.text, #row.text + #words, group }
  end
  row.text = row.text .. words
end

---@param words string
---@param group? string
---@return himalaya.Row
local function row_of(words, group)
  local row = { text = '', spans = {} }
  add(row, words, group)
  return row
end

---@param status table
---@return himalaya.Row?
local function bar_row(status)
  if not status.percent then
    return nil
  end
  local done, left = sparkline.bar(status.percent / 100, BAR)
  local row = row_of(' ')
  add(row, done, 'HimalayaBarDone')
  add(row, left, 'HimalayaBarLeft')
  add(row, (' %3d%%'):format(math.floor(math.max(0, math.min(100, status.percent)))), 'HimalayaCount')
  return row
end

---@param status table
---@param now number
---@return himalaya.Row?
local function amount_row(status, now)
  local parts = {}
  if (status.messages_total or 0) > 0 then
    parts[#parts + 1] = ('%d of %d messages'):format(status.messages_done or 0, status.messages_total)
  elseif (status.messages_done or 0) > 0 then
    parts[#parts + 1] = ('%d messages'):format(status.messages_done)
  end
  if (status.bytes or 0) > 0 then
    parts[#parts + 1] = format.size(status.bytes) .. 'B'
    local seconds = status.started_at and now - status.started_at or 0
    if seconds >= 1 then
      parts[#parts + 1] = format.size(status.bytes / seconds) .. 'B a second'
    end
  end
  if status.eta_seconds then
    parts[#parts + 1] = dates.duration(status.eta_seconds) .. ' left'
  end
  return #parts > 0 and row_of(' ' .. table.concat(parts, ', '), 'HimalayaHeader') or nil
end

--- The float's rows.
---@param status table as `get_sync_status()` gives it
---@param accounts table<string, himalaya.AccountState>
---@param now? number
---@return himalaya.Row[]
function M.rows(status, accounts, now)
  now = now or os.time()
  local line, group = format.sync(status, now)
  local rows = { row_of(' ' .. (line or 'No sync runs.'), group) }
  rows[#rows + 1] = bar_row(status)
  rows[#rows + 1] = amount_row(status, now)
  rows[#rows + 1] = row_of('')
  for name, account in vim.spairs(accounts) do
    local row = row_of(' ')
    add(row, text.fit(name, 20) .. ' ', 'HimalayaAccount')
    if account.error then
      add(row, text.clean(account.error.message), 'HimalayaSyncError')
    else
      add(
        row,
        STATES[account.state] or text.clean(account.state),
        account.state == 'syncing' and 'HimalayaSync' or nil
      )
      if account.last_sync and account.state == 'idle' then
        add(row, (', last synced %s'):format(dates.ago(account.last_sync, now)), 'HimalayaDate')
      end
    end
    if (account.pending_ops or 0) > 0 then
      add(row, (', %d changes to send'):format(account.pending_ops), 'HimalayaPending')
    end
    rows[#rows + 1] = row
  end
  return rows
end

local message ---@type { id: any, text: string }?

-- Before 0.12 there are none, and an unknown kind is an error.
M.has_messages = vim.fn.has('nvim-0.12') == 1

--- Shows the state of a sync as a progress message, and its end as the end of that message. Says the same only once.
---@param status table
---@param now? number
function M.echo(status, now)
  if not M.has_messages then
    return
  end
  local running = status.state == 'syncing' or status.state == 'cancelling'
  if not running and not message then
    return
  end
  local words = running and (format.sync(status, now) or 'Sync') or 'Mail is synced'
  local failed = not running and status.last_error ~= nil
  if failed then
    words = text.clean(status.last_error.message)
  end
  if message and message.text == words then
    return
  end
  local id = vim.api.nvim_echo({ { words } }, false, {
    id = message and message.id or nil,
    kind = 'progress',
    source = 'himalaya',
    title = 'himalaya',
    status = running and 'running' or (failed and 'failed' or 'success'),
    percent = running and status.percent and math.floor(status.percent)
      or (not running and not failed and 100 or nil),
  })
  message = running and { id = id, text = words } or nil
end

return M
