-- Times as a reader of mail wants them: near ones by the clock, far ones by the day. Names of days and months are
-- English in every locale, so that columns keep their widths. Mail claims dates of any century; those that no
-- calendar has are shown as nothing.

local M = {}

local DAYS = { 'Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat' }
local MONTHS = { 'Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec' }
local DAY = 86400
local LAST = 253402300799 -- the end of the year 9999

---@param epoch number?
---@return osdate?
local function calendar(epoch)
  if type(epoch) ~= 'number' or epoch ~= epoch or epoch < 0 or epoch > LAST then
    return nil
  end
  return os.date('*t', math.floor(epoch)) --[[@as osdate]]
end

-- The day that dates are compared with: its calendar and the midnights that matter. A list asks a hundred times.
local today = { calendar = nil, from = math.huge, to = -math.huge, week = {}, half_a_year = 0 }
local WEEK, HALF_A_YEAR = 6, 179

---@param now number
---@return osdate?
local function day_of(now)
  if now >= today.from and now < today.to then
    return today.calendar
  end
  local n = calendar(now)
  if not n then
    return nil
  end
  local function midnight(ago)
    return os.time({ year = n.year, month = n.month, day = n.day - ago, hour = 0 })
  end
  today =
    { calendar = n, from = midnight(0), to = midnight(-1), week = {}, half_a_year = midnight(HALF_A_YEAR) }
  for ago = 0, WEEK do
    today.week[ago] = midnight(ago)
  end
  return n
end

-- Midnights between a date and today, as a person counts days: -1 for what is to come, up to 6; 7 for all that came in
-- half a year, 180 for what is older.
---@param epoch number
---@return integer
local function days_ago(epoch)
  if epoch >= today.to then
    return -1
  end
  for ago = 0, WEEK do
    if epoch >= today.week[ago] then
      return ago
    end
  end
  return epoch >= today.half_a_year and WEEK + 1 or HALF_A_YEAR + 1
end

--- At most six cells: `14:02` today, `Tue` in the last week, `12 Mar` this year, `2023` before; `12 Mar` or the year
--- for what is to come.
---@param epoch number?
---@param now? number
---@return string
function M.short(epoch, now)
  local t, n = calendar(epoch), day_of(now or os.time())
  if not t or not n then
    return ''
  end
  local age = days_ago(epoch)
  if age == 0 then
    return ('%02d:%02d'):format(t.hour, t.min)
  elseif age > 0 and age < 7 then
    return DAYS[t.wday]
  elseif t.year == n.year or (age > 0 and age < 180) then
    return ('%d %s'):format(t.day, MONTHS[t.month])
  end
  return tostring(t.year)
end

--- At most twelve cells: `14:02`, `Tue 14:02`, `12 Mar 14:02`, `12 Mar 2023`.
---@param epoch number?
---@param now? number
---@return string
function M.medium(epoch, now)
  local t, n = calendar(epoch), day_of(now or os.time())
  if not t or not n then
    return ''
  end
  local age = days_ago(epoch)
  local clock = ('%02d:%02d'):format(t.hour, t.min)
  if age == 0 then
    return clock
  elseif age > 0 and age < 7 then
    return DAYS[t.wday] .. ' ' .. clock
  elseif t.year == n.year then
    return ('%d %s %s'):format(t.day, MONTHS[t.month], clock)
  end
  return ('%d %s %d'):format(t.day, MONTHS[t.month], t.year)
end

--- Sixteen cells, the same for all: `2023-03-12 14:02`.
---@param epoch number?
---@return string
function M.long(epoch)
  local t = calendar(epoch)
  return t and ('%04d-%02d-%02d %02d:%02d'):format(t.year, t.month, t.day, t.hour, t.min) or ''
end

--- `12s`, `1m 5s`, `2h 3m`, `4d 1h`.
---@param seconds number
---@return string
function M.duration(seconds)
  seconds = math.max(0, math.floor(seconds))
  if seconds < 60 then
    return ('%ds'):format(seconds)
  elseif seconds < 3600 then
    return ('%dm %ds'):format(math.floor(seconds / 60), seconds % 60)
  elseif seconds < DAY then
    return ('%dh %dm'):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60))
  end
  return ('%dd %dh'):format(math.floor(seconds / DAY), math.floor(seconds % DAY / 3600))
end

--- `just now`, `12m ago`, `3h ago`, `5d ago`.
---@param epoch number?
---@param now? number
---@return string
function M.ago(epoch, now)
  if not calendar(epoch) then
    return ''
  end
  local seconds = math.max(0, (now or os.time()) - epoch)
  if seconds < 60 then
    return 'just now'
  elseif seconds < 3600 then
    return ('%dm ago'):format(math.floor(seconds / 60))
  elseif seconds < DAY then
    return ('%dh ago'):format(math.floor(seconds / 3600))
  end
  return ('%dd ago'):format(math.floor(seconds / DAY))
end

return M
