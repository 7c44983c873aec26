-- A list as rows, whole: the three lines above it, a row per message, and what stands there when there is none. The
-- lines above are always three, so that a sync that begins or ends moves no message.

local columns = require('himalaya.ui.columns')
local errors = require('himalaya.errors')
local format = require('himalaya.ui.format')
local text = require('himalaya.ui.text')
local threads = require('himalaya.ui.threads')

local M = {}

--- How many lines stand above the first message.
M.ABOVE = 3
--- How many messages' rows are made in one go; the loop may have another turn then.
M.A_STEP = 4

---@class (exact) himalaya.ListShown
---@field address string the account's, or its name
---@field folder string
---@field items table[] as `himalaya.mail.list` gives them
---@field page table what `format.page` wants
---@field sync? table as `get_sync_status()` gives it
---@field filter? string
---@field selected? table<any, boolean> by id
---@field loading? boolean nothing is known yet
---@field err? himalaya.Error
---@field made? table<table, table> the rows made before, by item: one that is the same item is not made again
---@field folded? fun(thread: integer): boolean which threads are one row; absent: none is

---@class himalaya.ListRow: himalaya.PaintedRow
---@field members? integer[] the messages of a folded thread

---@param words string
---@param group string
---@param key string
---@param width integer
---@return himalaya.PaintedRow
local function line_of(words, group, key, width)
  words = text.truncate(words, width)
  return { key = key, text = words, spans = words ~= '' and { { 0, #words, group } } or {} }
end

---@param shown himalaya.ListShown
---@return string words
---@return string group
local function instead(shown)
  if shown.err then
    return '! ' .. text.clean(errors.sentence(shown.err)), 'HimalayaSyncError'
  elseif shown.loading then
    return 'Looking ...', 'HimalayaHeader'
  elseif shown.filter then
    return 'Nothing here matches.', 'HimalayaHeader'
  end
  return 'No messages.', 'HimalayaHeader'
end

-- A sentence says at its end what to do, so it is not cut off but goes on below.
---@param words string
---@param width integer
---@return string[]
local function lines_of(words, width)
  local lines = { '' }
  for word in words:gmatch('%S+') do
    local line = lines[#lines]
    if line == '' then
      lines[#lines] = word
    elseif text.width(line) + 1 + text.width(word) <= width then
      lines[#lines] = line .. ' ' .. word
    else
      lines[#lines + 1] = word
    end
  end
  return lines
end

-- What a folded thread looks like changes with each of its messages, so it is kept only as long as they are the same.
---@param members himalaya.Item[]
---@return string
local function mark_of(members)
  local parts = {}
  for i, item in ipairs(members) do
    local flags = item.flags
    parts[i] =
      table.concat({ item.id, tostring(flags.seen), tostring(flags.flagged), tostring(item.pending) }, ',')
  end
  return table.concat(parts, ' ')
end

-- The row that was made before, where it would be made the same again.
---@param item himalaya.Item
---@param how table
---@param is_selected boolean
---@param mark string?
---@return himalaya.ListRow?
local function made_before(item, how, is_selected, mark)
  local kept = how.made[item]
  local same = kept
    and kept.plan == how.plan
    and kept.selected == is_selected
    and kept.day == how.day
    and kept.mark == mark
  return same and kept.row or nil
end

---@param item himalaya.Item
---@param members himalaya.Item[]?
---@param how table
---@return himalaya.ListRow
local function row_of(item, members, how)
  local is_selected = how.selected[item.id] or false
  local mark = members and mark_of(members)
  local before = made_before(item, how, is_selected, mark)
  if before then
    return before
  end
  local row = format.row(members and threads.as_one(members) or item, how.plan, {
    selected = is_selected,
    count = members and #members,
    now = how.now,
  }) --[[@as himalaya.ListRow]]
  row.key = item.id
  -- Numbers, not the items: what is kept by an item must not hold it.
  row.members = members and vim.tbl_map(function(each)
    return each.id
  end, members)
  how.made[item] = { plan = how.plan, selected = is_selected, day = how.day, mark = mark, row = row }
  return row
end

---@param shown himalaya.ListShown
---@param width integer
---@param now? number
---@return table
local function how_of(shown, width, now)
  -- Dates are written by the day.
  return {
    plan = columns.of(width),
    selected = shown.selected or {},
    made = shown.made or {},
    now = now,
    day = os.date('%Y%j', now),
  }
end

--- What there is a row for, from the top.
---@param shown himalaya.ListShown
---@return himalaya.ListEntry[]
function M.entries(shown)
  if shown.folded then
    return threads.entries(shown.items, shown.folded)
  end
  return vim.tbl_map(function(item)
    return { item = item }
  end, shown.items)
end

--- Makes the rows of some of the entries already, for `of` to find: fifty at once are more than one turn of the loop.
---@param shown himalaya.ListShown
---@param width integer
---@param entries himalaya.ListEntry[]
---@param first integer
---@param last integer
function M.make(shown, width, entries, first, last)
  local how = how_of(shown, width)
  for at = first, math.min(last, #entries) do
    row_of(entries[at].item, entries[at].members, how)
  end
end

--- Whether more rows would have to be made than one turn of the loop has room for.
---@param shown himalaya.ListShown
---@param width integer
---@return boolean
function M.is_long(shown, width)
  local how, missing = how_of(shown, width), 0
  for _, entry in ipairs(M.entries(shown)) do
    local item, members = entry.item, entry.members
    local is_selected = how.selected[item.id] or false
    if not made_before(item, how, is_selected, members and mark_of(members)) then
      missing = missing + 1
      if missing > M.A_STEP then
        return true
      end
    end
  end
  return false
end

--- The rows for a window of `width` cells.
---@param shown himalaya.ListShown
---@param width integer
---@param now? number
---@return himalaya.PaintedRow[]
function M.of(shown, width, now)
  local second = format.page(vim.tbl_extend('force', { now = now }, shown.page))
  if shown.filter then
    second = ('/%s  %s'):format(text.clean(shown.filter), second)
  end
  local third, group = format.sync(shown.sync or {}, now)
  local rows = {
    line_of(format.title(shown.address, shown.folder), 'HimalayaTitle', 'title', width),
    line_of(second, 'HimalayaHeader', 'page', width),
    line_of(third or '', group or 'HimalayaSync', 'sync', width),
  }
  local how = how_of(shown, width, now)
  for _, entry in ipairs(M.entries(shown)) do
    rows[#rows + 1] = row_of(entry.item, entry.members, how)
  end
  if #shown.items == 0 then
    local words, colour = instead(shown)
    for at, line in ipairs(lines_of(words, width)) do
      rows[#rows + 1] = line_of(line, colour, 'instead ' .. at, width)
    end
  end
  return rows
end

return M
