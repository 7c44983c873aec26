-- Rows and lines of the views, as text and the groups that colour it. Nothing here knows buffers: the same values
-- always give the same text, which is what lets a view set only the lines that changed.

local dates = require('himalaya.ui.dates')
local text = require('himalaya.ui.text')

local M = {}

---@class (exact) himalaya.Span
---@field [1] integer first byte, from 0
---@field [2] integer the byte after the last
---@field [3] string highlight group

---@class (exact) himalaya.Row
---@field text string
---@field spans himalaya.Span[]

local UNITS = { 'K', 'M', 'G', 'T' }

--- At most five cells: `870`, `1.2K`, `35M`.
---@param bytes number?
---@return string
function M.size(bytes)
  if type(bytes) ~= 'number' or bytes < 0 or bytes ~= bytes or bytes == math.huge then
    return ''
  elseif bytes < 1000 then
    return ('%d'):format(bytes)
  end
  local unit = 0
  repeat
    bytes, unit = bytes / 1024, unit + 1
  until bytes < 999.5 or unit == #UNITS
  return (bytes < 9.95 and '%.1f%s' or '%.0f%s'):format(bytes, UNITS[unit])
end

---@param person { name?: string, addr?: string }?
---@return string
function M.person(person)
  local name = person and text.clean(person.name) or ''
  if name == '' and person then
    name = text.clean(person.addr)
  end
  return name ~= '' and name or '(no sender)'
end

---@param item table
---@return string
---@return string? group
local function flags(item)
  local set = item.flags or {}
  local star = set.flagged and '*' or ' '
  if item.pending then
    return star .. '~', 'HimalayaPending'
  elseif set.answered then
    return star .. '<', set.flagged and 'HimalayaFlagged' or 'HimalayaAnswered'
  elseif set.forwarded then
    return star .. '>', set.flagged and 'HimalayaFlagged' or 'HimalayaAnswered'
  elseif set.draft then
    return star .. 'D', set.flagged and 'HimalayaFlagged' or 'HimalayaAnswered'
  end
  return star .. (set.seen and ' ' or '•'),
    set.flagged and 'HimalayaFlagged' or (not set.seen and 'HimalayaUnread')
end

local DEEPEST = 8

---@param item table
---@param count integer? how many messages the row stands for
---@return string
local function subject(item, count)
  local words = text.clean(item.subject)
  if words == '' then
    words = '(no subject)'
  end
  local depth = item.thread_depth or 0
  if count then
    words = ('▸ (%d) %s'):format(count, words)
  elseif depth > 0 then
    words = ('  '):rep(math.min(depth, DEEPEST) - 1) .. '└ ' .. words
  end
  return words
end

---@type table<string, fun(item: table, column: himalaya.Column, how: table): string, string?>
local CELLS = {
  select = function(_, _, how)
    return how.selected and '[x]' or '[ ]', how.selected and 'HimalayaSelected' or nil
  end,
  flags = flags,
  from = function(item)
    return M.person(item.from), 'HimalayaFrom'
  end,
  subject = function(item, _, how)
    return subject(item, how.count), item.flags and item.flags.seen and 'HimalayaRead' or 'HimalayaUnread'
  end,
  attachment = function(item)
    return item.has_attachment and '@' or '', 'HimalayaAttachment'
  end,
  size = function(item)
    return M.size(item.size), 'HimalayaSize'
  end,
  date = function(item, column, how)
    return dates[column.style](item.date, how.now), 'HimalayaDate'
  end,
}

--- One message of a list.
---@param item table as `himalaya.mail.list` gives it
---@param plan himalaya.Columns
---@param how { selected?: boolean, now?: number, count?: integer }
---@return himalaya.Row
function M.row(item, plan, how)
  local parts, spans, at, cells = {}, {}, 0, 0
  for index, column in ipairs(plan.columns) do
    local cell, group = CELLS[column.name](item, column, how)
    local gap = index < #plan.columns and ' ' or ''
    cells = cells + column.width + 1
    if text.drifts(cell) then
      -- Drawn wider than it is counted it may reach into the next columns, which are drawn over it, but no further.
      cell = text.bound(cell, column.width, column.width + math.max(0, plan.width - cells))
      gap = gap ~= '' and text.ANCHOR or ''
    end
    local fitted = text.fit(cell, column.width, column.align)
    if group and fitted:find('%S') then
      spans[#spans + 1] = { at, at + #fitted, group }
    end
    parts[index] = fitted .. gap
    at = at + #parts[index]
  end
  local line = table.concat(parts)
  if line:byte(-1) == 32 then
    line = line:gsub(' +$', '')
  end
  for _, span in ipairs(spans) do
    span[2] = math.min(span[2], #line)
  end
  if how.selected and plan.columns[1].name ~= 'select' then
    -- No room for its box: what is about to be acted on is seen all the same.
    table.insert(spans, 1, { 0, #line, 'HimalayaSelected' })
  end
  return { text = line, spans = spans }
end

--- The first line of a list.
---@param address string
---@param folder string
---@return string
function M.title(address, folder)
  return ('Himalaya - %s - %s'):format(text.clean(address), text.clean(folder))
end

---@class (exact) himalaya.Standing
---@field page? integer
---@field pages? integer
---@field total? integer
---@field found? integer what a filter let through, so far
---@field more? boolean more than that
---@field unread? integer
---@field last_sync? number
---@field now? number

--- The second: where one is, how much there is, how old that is. What nobody knows is left out.
---@param page himalaya.Standing
---@return string
function M.page(page)
  local parts = {}
  if page.page then
    parts[#parts + 1] = page.pages and ('Page %d / %d'):format(page.page, page.pages)
      or ('Page %d'):format(page.page)
  end
  local count = {}
  if page.found then
    local words = page.more and 'more than %d email%s found' or '%d email%s found'
    count[#count + 1] = words:format(page.found, page.found == 1 and '' or 's')
  elseif page.total then
    count[#count + 1] = ('%d email%s'):format(page.total, page.total == 1 and '' or 's')
  end
  if page.unread then
    count[#count + 1] = ('%d unread'):format(page.unread)
  end
  local line = table.concat(count, ', ')
  if page.last_sync then
    local ago = dates.ago(page.last_sync, page.now)
    line = line ~= '' and ('%s (%s)'):format(line, ago) or 'synced ' .. ago
  end
  if line ~= '' then
    parts[#parts + 1] = line
  end
  return table.concat(parts, ' | ')
end

---@param status table
---@return string
local function progress(status)
  local done, total = status.messages_done or 0, status.messages_total or 0
  if total > 0 then
    return (' %d/%d'):format(done, total)
  end
  return done > 0 and (' %d'):format(done) or ''
end

--- What a running sync is at: `INBOX - Downloaded 45/120`.
---@param status table
---@return string
function M.sync_detail(status)
  local parts = { text.clean(status.folder), vim.trim(text.clean(status.operation) .. progress(status)) }
  return table.concat(
    vim.tbl_filter(function(part)
      return part ~= ''
    end, parts),
    ' - '
  )
end

local OUTSIDE = '= Syncing (external)'

--- The line of sync, nil when there is nothing to say:
--- `⟳ Sync (1m 5s): INBOX 2/5 - Downloaded 45/120`, `= Syncing (external): 45/98 emails`.
---@param status table as `get_sync_status()` gives it
---@param now? number
---@return string?
---@return string? group
function M.sync(status, now)
  local state = status.state
  if state == 'external' then
    local total = status.messages_total or 0
    if total > 0 then
      return ('%s: %d/%d emails'):format(OUTSIDE, status.messages_done or 0, total), 'HimalayaSync'
    end
    local what = text.clean(status.operation)
    return OUTSIDE .. (what ~= '' and ': ' .. what or ''), 'HimalayaSync'
  elseif state == 'syncing' or state == 'cancelling' then
    local since = status.started_at
        and (' (%s)'):format(dates.duration((now or os.time()) - status.started_at))
      or ''
    local line = ('⟳ %s%s'):format(state == 'cancelling' and 'Stopping sync' or 'Sync', since)
    local detail = M.sync_detail(status)
    return detail ~= '' and line .. ': ' .. detail or line, 'HimalayaSync'
  elseif state == 'queued' then
    return '⟳ Sync waits for another one', 'HimalayaSync'
  elseif status.ended then
    return status.ended.words, status.ended.group
  elseif state == 'backoff' or status.last_error then
    local err = status.last_error
    local why = err and text.clean(err.message) or 'the last sync failed'
    local again = status.next_sync and status.next_sync - (now or os.time())
    local when = again and again > 0 and (' - again in %s'):format(dates.duration(again)) or ''
    return '! ' .. why .. when, 'HimalayaSyncError'
  end
end

return M
