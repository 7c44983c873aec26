-- Puts rows into a buffer by setting only the lines that differ from those shown, so that one changed message of
-- fifty costs one line, nothing flickers, and marks elsewhere stay. In every window the cursor stays on its message,
-- wherever that moved, and so does the message at the top.

local scrolling = require('himalaya.ui.scrolling')

local M = {}

M.namespace = vim.api.nvim_create_namespace('himalaya.rows')

---@class (exact) himalaya.PaintedRow: himalaya.Row
---@field key? any what the row is about; rows of two paintings with the same key are one row
---@field mark? string text and spans as one string, made here

-- 0.12 calls it vim.text.diff.
local diff = vim.text and vim.text.diff or vim.diff

---@param row himalaya.PaintedRow
---@return string
local function mark(row)
  if not row.mark then
    local parts = { row.text }
    for _, span in ipairs(row.spans) do
      parts[#parts + 1] = table.concat(span, ',')
    end
    row.mark = table.concat(parts, '\1')
  end
  return row.mark
end

---@param rows himalaya.PaintedRow[]
---@return string
local function joined(rows)
  local marks = {}
  for i, row in ipairs(rows) do
    marks[i] = mark(row)
  end
  marks[#marks + 1] = ''
  return table.concat(marks, '\n')
end

---@param buffer integer
---@param line integer from 0
---@param row himalaya.PaintedRow
local function colour(buffer, line, row)
  for _, span in ipairs(row.spans) do
    vim.api.nvim_buf_set_extmark(
      buffer,
      M.namespace,
      line,
      span[1],
      { end_col = span[2], hl_group = span[3] }
    )
  end
end

---@param shown himalaya.PaintedRow[]
---@param rows himalaya.PaintedRow[]
---@param a integer
---@param b integer
---@param count integer
local function same_text(shown, rows, a, b, count)
  for i = 0, count - 1 do
    if shown[a + i].text ~= rows[b + i].text then
      return false
    end
  end
  return true
end

-- One stretch of lines that differ. From, count among those shown; from, count among the new ones.
---@param buffer integer
---@param shown himalaya.PaintedRow[]
---@param rows himalaya.PaintedRow[]
---@param hunk integer[]
---@return integer lines set
local function replace(buffer, shown, rows, hunk)
  local a, na, b, nb = unpack(hunk)
  -- Where nothing is taken away, xdiff gives the line before.
  local first = na == 0 and a or a - 1
  local from = nb == 0 and b + 1 or b
  vim.api.nvim_buf_clear_namespace(buffer, M.namespace, first, first + na)
  local set = 0
  if na ~= nb or not same_text(shown, rows, a, from, na) then
    local lines = {}
    for i = 0, nb - 1 do
      lines[#lines + 1] = rows[from + i].text
    end
    vim.api.nvim_buf_set_lines(buffer, first, first + na, false, lines)
    set = math.max(na, nb)
  end
  for i = 0, nb - 1 do
    colour(buffer, first + i, rows[from + i])
  end
  return set
end

---@param rows himalaya.PaintedRow[]
---@return table<any, integer>
local function by_key(rows)
  local places = {}
  for i, row in ipairs(rows) do
    if row.key ~= nil then
      places[row.key] = i
    end
  end
  return places
end

-- Where a row of before is now: itself, else the nearest one before it that is left, else the same line.
---@param shown himalaya.PaintedRow[]
---@param places table<any, integer>
---@param line integer
---@return integer
local function moved(shown, places, line)
  for i = line, 1, -1 do
    local row = shown[i]
    local place = row and row.key ~= nil and places[row.key]
    if place then
      return i == line and place or math.max(place, math.min(place + 1, line))
    end
  end
  return line
end

---@param buffer integer
---@param shown himalaya.PaintedRow[]
---@return table<integer, table> views by window
local function views(buffer, shown)
  local found = {}
  if #shown > 0 then
    for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
      found[window] = scrolling.view(window)
    end
  end
  return found
end

---@param saved table<integer, table>
---@param shown himalaya.PaintedRow[]
---@param rows himalaya.PaintedRow[]
local function restore(saved, shown, rows)
  local places = by_key(rows)
  for window, view in pairs(saved) do
    local line = math.max(1, math.min(moved(shown, places, view.lnum), #rows))
    -- The first row stays the first: what is new shows at the top of a list that is read from the top.
    if view.topline > 1 then
      view.topline = math.max(1, view.topline + line - view.lnum)
    end
    view.lnum = line
    scrolling.restore(window, view)
  end
end

--- Shows `rows` in place of `shown`, what the last call for this buffer was given ({} at first). Gives the number of
--- lines that were set.
---@param buffer integer
---@param shown himalaya.PaintedRow[]
---@param rows himalaya.PaintedRow[]
---@return integer
function M.paint(buffer, shown, rows)
  if not vim.api.nvim_buf_is_valid(buffer) then
    return 0
  end
  local hunks = diff(joined(shown), joined(rows), { result_type = 'indices' }) --[[@as integer[][] ]]
  if #hunks == 0 and #shown > 0 then
    return 0
  end
  local saved, set = views(buffer, shown), 0
  local modifiable = vim.bo[buffer].modifiable
  vim.bo[buffer].modifiable = true
  if #shown == 0 then
    vim.api.nvim_buf_clear_namespace(buffer, M.namespace, 0, -1)
    vim.api.nvim_buf_set_lines(
      buffer,
      0,
      -1,
      false,
      vim.tbl_map(function(row)
        return row.text
      end, rows)
    )
    for i, row in ipairs(rows) do
      colour(buffer, i - 1, row)
    end
    set = #rows
  else
    for i = #hunks, 1, -1 do
      set = set + replace(buffer, shown, rows, hunks[i])
    end
    -- A buffer is never without a line.
    if #rows == 0 then
      vim.api.nvim_buf_set_lines(buffer, 0, -1, false, {})
    end
  end
  vim.bo[buffer].modifiable = modifiable
  vim.bo[buffer].modified = false
  restore(saved, shown, rows)
  return set
end

return M
