-- Numbers as a row of small bars, and one number as a long one.

local M = {}

local STEPS = { '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█' }

---@param value any
---@return number? usable
local function number(value)
  if type(value) == 'number' and value == value and value ~= math.huge and value ~= -math.huge then
    return math.max(0, value)
  end
end

-- The greatest value of each of `cells` stretches: a peak must not vanish in a mean.
---@param values table
---@param count integer
---@param cells integer
---@return table<integer, number>
local function gather(values, count, cells)
  local peaks = {}
  for i = 1, count do
    local value = number(values[i])
    if value then
      local cell = math.floor((i - 1) * cells / count) + 1
      peaks[cell] = math.max(peaks[cell] or 0, value)
    end
  end
  return peaks
end

--- A bar per value, oldest first, at most `cells` of them; a blank where there is no number. The lowest bar is zero.
---@param values (number|false)[]
---@param cells? integer
---@return string
function M.of(values, cells)
  local count = #values
  cells = math.min(cells or count, count)
  if cells <= 0 then
    return ''
  end
  local peaks, most = gather(values, count, cells), 0
  for _, peak in pairs(peaks) do
    most = math.max(most, peak)
  end
  local out = {}
  for cell = 1, cells do
    local peak = peaks[cell]
    if not peak then
      out[cell] = ' '
    else
      out[cell] = STEPS[most > 0 and math.max(1, math.ceil(peak / most * #STEPS)) or 1]
    end
  end
  return table.concat(out)
end

--- A bar of `cells` for a share between 0 and 1: what is done and what is left.
---@param share number
---@param cells integer
---@return string done
---@return string left
function M.bar(share, cells)
  local done = math.floor(math.min(1, number(share) or 0) * cells + 0.5)
  return ('█'):rep(done), ('░'):rep(cells - done)
end

return M
