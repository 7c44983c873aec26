-- The statistics as rows: for each account its last syncs as bars, one per sync, with what they brought and cost; then
-- what was counted since Neovim started, in words where a number alone says little.

local dates = require('himalaya.ui.dates')
local format = require('himalaya.ui.format')
local sparkline = require('himalaya.ui.sparkline')
local text = require('himalaya.ui.text')

local M = {}

local CELLS, NAME = 40, 14
local LANES = { 'user', 'ui', 'background' }

---@param milliseconds number?
---@return string
local function duration(milliseconds)
  milliseconds = milliseconds or 0
  if milliseconds < 10 and milliseconds ~= math.floor(milliseconds) then
    return ('%.2f ms'):format(milliseconds)
  elseif milliseconds < 1000 then
    return ('%d ms'):format(milliseconds)
  elseif milliseconds < 60000 then
    return ('%.1f s'):format(milliseconds / 1000)
  end
  return dates.duration(milliseconds / 1000)
end

---@param bytes number?
---@return string
local function bytes_of(bytes)
  return format.size(bytes or 0) .. 'B'
end

---@param words string
---@param group? string
---@return himalaya.Row
local function line(words, group)
  return { text = words, spans = group and words ~= '' and { { 0, #words, group } } or {} }
end

---@param label string
---@param words string
---@return himalaya.Row
local function entry(label, words)
  local left = '   ' .. text.fit(label, NAME)
  return { text = left .. ' ' .. words, spans = { { 3, #left, 'HimalayaHeader' } } }
end

-- How long things took, as a reader of tables would say it.
---@param figures table with count, p50_ms, p90_ms and max_ms
---@return string
local function spread(figures)
  if (figures.count or 0) == 0 then
    return 'none yet'
  end
  return ('half within %s, 9 of 10 within %s, longest %s, of %d'):format(
    duration(figures.p50_ms),
    duration(figures.p90_ms),
    duration(figures.max_ms),
    figures.count
  )
end

--- An account's last syncs.
---@param name string
---@param runs table[] as native.mail.runs gives them, newest first
---@param now? number
---@return himalaya.Row[]
function M.account(name, runs, now)
  local label = ' ' .. text.fit(name, NAME + 2) .. ' '
  if #runs == 0 then
    return { { text = label .. 'no sync yet', spans = { { 1, #label, 'HimalayaAccount' } } } }
  end
  local durations, bytes, trips, new, failed = {}, 0, 0, 0, 0
  for at = #runs, 1, -1 do
    local run = runs[at]
    durations[#durations + 1] = run.error == '' and run.duration_ms or false
    bytes, trips, new = bytes + run.bytes, trips + run.round_trips, new + run.new
    failed = failed + (run.error ~= '' and 1 or 0)
  end
  local bars = sparkline.of(durations, CELLS)
  local last, longest = runs[1], 0
  for _, milliseconds in ipairs(durations) do
    longest = math.max(longest, milliseconds or 0)
  end
  local rows = {
    {
      text = label .. bars,
      spans = { { 1, #label, 'HimalayaAccount' }, { #label, #label + #bars, 'HimalayaBarDone' } },
    },
    entry(
      'last',
      ('%s, %s; the highest bar is %s'):format(
        duration(last.duration_ms),
        dates.ago(last.started_at, now),
        duration(longest)
      )
    ),
    entry(
      ('%d syncs'):format(#runs),
      ('%d new, %s, %d round trips (%.1f each)%s'):format(
        new,
        bytes_of(bytes),
        trips,
        trips / #runs,
        failed > 0 and (', %d failed'):format(failed) or ''
      )
    ),
  }
  if last.error ~= '' then
    rows[#rows + 1] = line('   ! ' .. text.truncate(text.clean(last.error), 70), 'HimalayaSyncError')
  end
  return rows
end

---@param rows himalaya.Row[]
---@param sync table
local function add_sync(rows, sync)
  if not sync.cycles then
    return
  end
  local failures = {}
  for code, count in vim.spairs(sync.failures or {}) do
    failures[#failures + 1] = ('%d %s'):format(count, code)
  end
  rows[#rows + 1] = entry(
    'syncs',
    ('%d ended well, %d were cancelled, %s failed'):format(
      sync.cycles,
      sync.cancelled,
      #failures > 0 and table.concat(failures, ', ') or 'none'
    )
  )
  rows[#rows + 1] = entry('durations', spread(sync.durations or {}))
  rows[#rows + 1] = entry(
    'mail',
    ('%d new, %d changed, %d gone, %d sent up'):format(sync.new, sync.updated, sync.expunged, sync.uploaded)
  )
  rows[#rows + 1] = entry(
    'traffic',
    ('%s, %d round trips, %d connections'):format(
      bytes_of(sync.bytes),
      sync.round_trips,
      sync.connections_opened
    )
  )
  if (sync.asked or 0) + (sync.served or 0) > 0 then
    rows[#rows + 1] = entry('others', ('asked %d times, served %d'):format(sync.asked, sync.served))
  end
end

---@param rows himalaya.Row[]
---@param cache table
local function add_cache(rows, cache)
  for _, level in ipairs({ 'memory', 'disk', 'remote' }) do
    local counted = cache[level]
    if type(counted) == 'table' then
      local hits, misses = counted.hits or 0, counted.misses or 0
      local words = hits + misses == 0 and 'not asked yet'
        or ('%d%% of %d found'):format(math.floor(100 * hits / (hits + misses) + 0.5), hits + misses)
      if counted.bytes then
        words = words .. ', ' .. bytes_of(counted.bytes)
      end
      rows[#rows + 1] = entry('cache, ' .. level, words)
    end
  end
  if cache.evictions then
    local ahead = (cache.prefetched or 0) > 0 and (', %d fetched ahead'):format(cache.prefetched) or ''
    rows[#rows + 1] = entry('cache', ('%d let go for room%s'):format(cache.evictions, ahead))
  end
end

---@param rows himalaya.Row[]
---@param jobs table
local function add_jobs(rows, jobs)
  if not jobs.submitted then
    return
  end
  rows[#rows + 1] = entry(
    'jobs',
    ('%d ended well, %d failed, %d were cancelled, %d timed out, %d run again'):format(
      jobs.completed,
      jobs.failed,
      jobs.cancelled,
      jobs.timed_out,
      jobs.retried
    )
  )
  local waited = false
  for _, lane in ipairs(LANES) do
    local waits = jobs.waits and jobs.waits[lane]
    if waits and (waits.count or 0) > 0 then
      waited = true
      rows[#rows + 1] = entry('waits, ' .. lane, spread(waits))
    end
  end
  if not waited then
    rows[#rows + 1] = entry('waits', spread({}))
  end
end

---@param rows himalaya.Row[]
---@param loop table
local function add_loop(rows, loop)
  if not loop.busy_turns then
    return
  end
  rows[#rows + 1] = entry(
    'turns',
    ('%d, half within %s, 99 of 100 within %s, longest %s, %d over 2 ms'):format(
      loop.busy_turns,
      duration(loop.p50_ms),
      duration(loop.p99_ms),
      duration(loop.longest_turn_ms),
      loop.turns_over_2ms
    )
  )
  local rooms = {}
  for room, figures in pairs(loop.by_room) do
    rooms[#rooms + 1] = { room, figures.total_ms }
  end
  table.sort(rooms, function(a, b)
    return a[2] > b[2]
  end)
  local parts = {}
  for at = 1, math.min(4, #rooms) do
    parts[at] = ('%s %s'):format(rooms[at][1], duration(math.floor(rooms[at][2] + 0.5)))
  end
  rows[#rows + 1] = entry('by room', table.concat(parts, ', '))
end

--- What was counted since Neovim started.
---@param metrics table as `himalaya.metrics()` gives it
---@return himalaya.Row[]
function M.counted(metrics)
  local rows = { line(' Since Neovim started', 'HimalayaTitle') }
  add_sync(rows, metrics.sync or {})
  add_cache(rows, metrics.cache or {})
  add_jobs(rows, metrics.jobs or {})
  add_loop(rows, metrics.loop or {})
  local memory = metrics.memory or {}
  if memory.lua_kb then
    rows[#rows + 1] = entry('memory', ('Lua %s'):format(bytes_of(memory.lua_kb * 1024)))
  end
  return rows
end

--- What stands above the accounts.
---@return himalaya.Row
function M.title()
  return line(' Syncs, oldest to newest', 'HimalayaTitle')
end

--- Where an account's numbers could not be had.
---@param name string
---@param problem string
---@return himalaya.Row[]
function M.failed(name, problem)
  return { line((' %s: %s'):format(text.clean(name), text.clean(problem)), 'HimalayaSyncError') }
end

return M
