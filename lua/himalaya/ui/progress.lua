-- What a sync does, for those who want to watch it in a float that can stop it: a bar with percent, rate and time left
-- for the whole, and for each account what it is at.

local dates = require('himalaya.ui.dates')
local format = require('himalaya.ui.format')
local sparkline = require('himalaya.ui.sparkline')
local text = require('himalaya.ui.text')

local M = {}

local BAR, SMALL_BAR = 30, 10
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

-- What one account is at while it syncs.
---@param row himalaya.Row
---@param standing table as native.mail.standing gives it
local function add_standing(row, standing)
  if standing.percent then
    local done, left = sparkline.bar(standing.percent / 100, SMALL_BAR)
    add(row, done, 'HimalayaBarDone')
    add(row, left, 'HimalayaBarLeft')
    add(row, (' %3d%% '):format(math.floor(standing.percent)), 'HimalayaCount')
  end
  local detail = format.sync_detail({
    folder = standing.folder,
    operation = standing.operation,
    messages_done = standing.done,
    messages_total = standing.total,
  })
  add(row, detail ~= '' and detail or STATES.syncing, 'HimalayaSync')
  if standing.eta_seconds then
    add(row, (', %s left'):format(dates.duration(standing.eta_seconds)), 'HimalayaHeader')
  end
end

--- A key and what it does.
---@param key string
---@param does string
---@return himalaya.Row
function M.key_row(key, does)
  local row = row_of(' ')
  add(row, key, 'HimalayaKey')
  add(row, ' ' .. does, 'HimalayaHeader')
  return row
end

--- What the accounts that sync are at, by name.
---@param accounts table<string, himalaya.AccountState>
---@return table<string, table>
function M.standings(accounts)
  local standings = {}
  local home = package.loaded['himalaya.mail.home']
  for name, account in pairs(accounts) do
    if account.state == 'syncing' and home and home.is_open(name) then
      standings[name] = require('himalaya.native').mail.standing(name)
    end
  end
  return standings
end

--- The float's rows.
---@param status table as `get_sync_status()` gives it
---@param accounts table<string, himalaya.AccountState>
---@param now? number
---@param standings? table<string, table>
---@return himalaya.Row[]
function M.rows(status, accounts, now, standings)
  now = now or os.time()
  local line, group = format.sync(status, now)
  local rows = { row_of(' ' .. (line or 'No sync runs.'), group) }
  rows[#rows + 1] = bar_row(status)
  rows[#rows + 1] = amount_row(status, now)
  rows[#rows + 1] = row_of('')
  for name, account in vim.spairs(accounts) do
    local row = row_of(' ')
    add(row, text.fit(name, 20) .. ' ', 'HimalayaAccount')
    local standing = account.state == 'syncing' and standings and standings[name]
    if standing then
      add_standing(row, standing)
    elseif account.error then
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

return M
