-- Which columns a list has in a window of so many cells. What matters most, sender and subject, is there from 20
-- cells on; the rest joins as room comes. Worked out once per width, so a row costs only its own text.

local M = {}

---@class (exact) himalaya.Column
---@field name 'select'|'flags'|'from'|'subject'|'attachment'|'size'|'date'
---@field width integer
---@field align 'left'|'right'
---@field style? 'short'|'medium'|'long' of a date

---@class (exact) himalaya.Columns
---@field width integer
---@field columns himalaya.Column[]

local GAP = 1

-- From so many cells on, the fixed columns, and the share of the rest that the sender gets.
local PLANS = {
  { from = 120, size = 5, date = 16, style = 'long', select = 3, attachment = 1, share = 0.25, widest = 32 },
  { from = 80, size = 5, date = 12, style = 'medium', select = 3, attachment = 1, share = 0.28, widest = 25 },
  { from = 60, date = 12, style = 'medium', select = 3, attachment = 1, share = 0.32, widest = 22 },
  { from = 40, date = 6, style = 'short', select = 3, attachment = 1, share = 0.36, widest = 16 },
  { from = 30, date = 6, style = 'short', share = 0.4, widest = 12 },
  { from = 1, share = 0.4, widest = 10 },
}

local FLAGS = 2

---@param cells integer
---@return table
local function plan_for(cells)
  for _, plan in ipairs(PLANS) do
    if cells >= plan.from then
      return plan
    end
  end
  return PLANS[#PLANS]
end

local made = {} ---@type table<integer, himalaya.Columns>

--- The columns for a window of `cells`; together with the gaps between them they take exactly that, from ten on.
---@param cells integer
---@return himalaya.Columns
function M.of(cells)
  cells = math.max(10, cells)
  if made[cells] then
    return made[cells]
  end
  local plan = plan_for(cells)
  local columns = {}
  local function add(name, width, align, style)
    if width then
      columns[#columns + 1] = { name = name, width = width, align = align or 'left', style = style }
    end
  end
  add('select', plan.select)
  add('flags', FLAGS)
  add('from', 0)
  add('subject', 0)
  add('attachment', plan.attachment)
  add('size', plan.size, 'right')
  add('date', plan.date, 'right', plan.style)
  local room = cells - GAP * (#columns - 1)
  for _, column in ipairs(columns) do
    room = room - column.width
  end
  for _, column in ipairs(columns) do
    if column.name == 'from' then
      column.width = math.max(3, math.min(plan.widest, math.floor(room * plan.share)))
      room = room - column.width
    elseif column.name == 'subject' then
      column.width = room
    end
  end
  made[cells] = { width = cells, columns = columns }
  return made[cells]
end

return M
