-- :HimalayaStats: the last syncs of every account as a row of bars with what they brought and cost, and what jobs,
-- the cache and the event loop counted since Neovim started.

local config = require('himalaya.config')
local dates = require('himalaya.ui.dates')
local float = require('himalaya.ui.float')
local format = require('himalaya.ui.format')
local home = require('himalaya.mail.home')
local sparkline = require('himalaya.ui.sparkline')
local text = require('himalaya.ui.text')

local M = {}

local RUNS, CELLS = 40, 40

---@param milliseconds number
---@return string
local function duration(milliseconds)
  if milliseconds < 1000 then
    return ('%d ms'):format(milliseconds)
  elseif milliseconds < 60000 then
    return ('%.1f s'):format(milliseconds / 1000)
  end
  return dates.duration(milliseconds / 1000)
end

---@param name string
---@param runs table[] newest first
---@return string[]
local function account_lines(name, runs)
  if #runs == 0 then
    return { (' %s: no sync yet'):format(name) }
  end
  local durations, bytes, trips, new, failed = {}, 0, 0, 0, 0
  for at = #runs, 1, -1 do
    local run = runs[at]
    durations[#durations + 1] = run.error == '' and run.duration_ms or false
    bytes, trips, new = bytes + run.bytes, trips + run.round_trips, new + run.new
    failed = failed + (run.error ~= '' and 1 or 0)
  end
  local last = runs[1]
  local lines = {
    (' %s  %s'):format(text.fit(name, 14), sparkline.of(durations, CELLS)),
    ('   last: %s, %s'):format(duration(last.duration_ms), dates.ago(last.started_at)),
    ('   of %d syncs: %d new, %sB, %d round trips%s'):format(
      #runs,
      new,
      format.size(bytes),
      trips,
      failed > 0 and (', %d failed'):format(failed) or ''
    ),
  }
  if last.error ~= '' then
    lines[#lines + 1] = '   ! ' .. text.truncate(text.clean(last.error), 70)
  end
  return lines
end

---@param title string
---@param counted any
---@param lines string[]
local function add_numbers(title, counted, lines)
  if type(counted) ~= 'table' or next(counted) == nil then
    return
  end
  lines[#lines + 1] = ''
  lines[#lines + 1] = ' ' .. title
  for key, value in vim.spairs(counted) do
    if type(value) == 'number' then
      local shown = value == math.floor(value) and ('%d'):format(value) or ('%.2f'):format(value)
      lines[#lines + 1] = ('   %s %s'):format(text.fit((tostring(key):gsub('_', ' ')), 28), shown)
    elseif type(value) == 'table' then
      local parts = {}
      for name, number in vim.spairs(value) do
        if type(number) == 'number' then
          parts[#parts + 1] = ('%s %g'):format(name, math.floor(number * 100 + 0.5) / 100)
        end
      end
      if #parts > 0 then
        lines[#lines + 1] = ('   %s %s'):format(
          text.fit((tostring(key):gsub('_', ' ')), 28),
          table.concat(parts, ', ')
        )
      end
    end
  end
end

---@param of_account table<string, string[]>
local function show(of_account)
  local lines = { ' Syncs, oldest to newest' }
  for _, name in ipairs(config.account_names()) do
    vim.list_extend(lines, of_account[name] or {})
  end
  local metrics = require('himalaya').metrics()
  for _, part in ipairs({
    { 'Syncs since Neovim started', 'sync' },
    { 'Jobs', 'jobs' },
    { 'Cache', 'cache' },
    { 'Loop', 'loop' },
    { 'Memory', 'memory' },
  }) do
    add_numbers(part[1], metrics[part[2]], lines)
  end
  float.open(lines, { title = 'Statistics', filetype = 'himalaya-stats' })
end

--- Asks the stores what they remember, then shows it.
function M.open()
  local names, of_account = config.account_names(), {}
  local left = #names
  if left == 0 then
    show({})
    return
  end
  local function done(name, lines)
    of_account[name], left = lines, left - 1
    if left == 0 then
      show(of_account)
    end
  end
  for _, name in ipairs(names) do
    home.with(name, function(err)
      if err then
        done(name, { (' %s: %s'):format(name, text.clean(err.message)) })
        return
      end
      require('himalaya.native').mail.runs(name, RUNS, function(failure, runs)
        done(
          name,
          failure and { (' %s: %s'):format(name, text.clean(failure.message)) } or account_lines(name, runs)
        )
      end)
    end)
  end
end

return M
