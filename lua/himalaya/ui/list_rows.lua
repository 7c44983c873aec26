-- A list as rows, whole: the three lines above it, a row per message, and what stands there when there is none. The
-- lines above are always three, so that a sync that begins or ends moves no message.

local columns = require('himalaya.ui.columns')
local format = require('himalaya.ui.format')
local text = require('himalaya.ui.text')

local M = {}

--- How many lines stand above the first message.
M.ABOVE = 3

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
    return '! ' .. vim.trim(text.clean(shown.err.message) .. ' ' .. text.clean(shown.err.hint)),
      'HimalayaSyncError'
  elseif shown.loading then
    return 'Looking ...', 'HimalayaHeader'
  elseif shown.filter then
    return 'Nothing here matches.', 'HimalayaHeader'
  end
  return 'No messages.', 'HimalayaHeader'
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
  local plan, selected = columns.of(width), shown.selected or {}
  -- Dates are written by the day.
  local made, day = shown.made or {}, os.date('%Y%j', now)
  for _, item in ipairs(shown.items) do
    local is_selected, kept = selected[item.id] or false, made[item]
    if not kept or kept.plan ~= plan or kept.selected ~= is_selected or kept.day ~= day then
      local row = format.row(item, plan, { selected = is_selected, now = now }) --[[@as himalaya.PaintedRow]]
      row.key = item.id
      kept = { plan = plan, selected = is_selected, day = day, row = row }
      made[item] = kept
    end
    rows[#rows + 1] = kept.row
  end
  if #shown.items == 0 then
    local words, colour = instead(shown)
    rows[#rows + 1] = line_of(words, colour, 'instead', width)
  end
  return rows
end

return M
