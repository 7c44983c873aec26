-- :HimalayaJobs: what runs, what waits and what has ended lately, each with how long it waited and took. Looks again
-- four times a second while it is shown, and draws only what changed.

local float = require('himalaya.ui.float')
local keymaps = require('himalaya.keymaps')
local paint = require('himalaya.ui.paint')

local M = {}

local INTERVAL_MS = 250
local MOST_QUEUED = 200
local WIDTH = 90

---@class (exact) himalaya.JobsView
---@field float himalaya.Float
---@field timer uv.uv_timer_t
---@field shown himalaya.PaintedRow[]

local view ---@type himalaya.JobsView?

---@param ms number
---@return string
local function span(ms)
  if ms < 1000 then
    return ('%d ms'):format(ms)
  elseif ms < 60000 then
    return ('%.1f s'):format(ms / 1000)
  end
  return ('%d min %02d s'):format(math.floor(ms / 60000), math.floor(ms / 1000) % 60)
end

-- A job's name may hold anything a file name or an argument does.
---@param name string
---@return string
local function plain(name)
  return (vim.fn.strtrans(name))
end

local COLOURS = {
  running = 'HimalayaJobRunning',
  ending = 'HimalayaJobRunning',
  queued = 'HimalayaJobQueued',
  done = 'HimalayaJobDone',
  cancelled = 'HimalayaJobQueued',
}

---@param words string
---@param group? string
---@param key? any
---@return himalaya.PaintedRow
local function row_of(words, group, key)
  return { text = words, key = key, spans = group and { { 0, #words, group } } or {} }
end

---@param job himalaya.JobSight
---@return himalaya.PaintedRow
local function job_row(job)
  local attempts = job.attempts > 1 and (' (attempt %d)'):format(job.attempts) or ''
  local took = job.attempts > 0 and span(job.duration_ms) or ''
  local state = ('  %-10s'):format((job.state:gsub('_', ' ')))
  local row = row_of(
    ('%s %-10s %12s %12s  %s%s'):format(
      state,
      job.priority,
      span(job.queued_ms),
      took,
      plain(job.name),
      attempts
    ),
    nil,
    job.id
  )
  row.spans[1] = { 0, #state, COLOURS[job.state] or 'HimalayaJobFailed' }
  return row
end

--- What the view shows; the key of a job's row is its id.
---@return himalaya.PaintedRow[]
function M.rows()
  local all = require('himalaya.native').jobs.list(MOST_QUEUED)
  local queued = all.queued.user + all.queued.ui + all.queued.background
  local rows = {
    row_of(
      (' %d running, %d queued; %d completed, %d failed, %d cancelled, %d timed out'):format(
        all.running,
        queued,
        all.completed,
        all.failed,
        all.cancelled,
        all.timed_out
      )
    ),
    row_of(''),
  }
  local function section(title, jobs, none)
    rows[#rows + 1] = row_of(
      (' %-11s %-10s %12s %12s  %s'):format(title, 'priority', 'waited', 'took', 'job'),
      'HimalayaTitle'
    )
    for _, job in ipairs(jobs) do
      rows[#rows + 1] = job_row(job)
    end
    if #jobs == 0 then
      rows[#rows + 1] = row_of('  ' .. none, 'HimalayaHeader')
    end
  end
  local running, waiting = {}, {}
  for _, job in ipairs(all.jobs) do
    local list = (job.state == 'running' or job.state == 'ending') and running or waiting
    list[#list + 1] = job
  end
  section('Running', running, 'nothing')
  rows[#rows + 1] = row_of('')
  section('Queued', waiting, 'nothing')
  if all.alive > #all.jobs then
    rows[#rows + 1] = row_of(('  and %d more'):format(all.alive - #all.jobs), 'HimalayaHeader')
  end
  rows[#rows + 1] = row_of('')
  section('Recent', all.recent, 'nothing has ended yet')
  return rows
end

local function close()
  if not view then
    return
  end
  local closing = view
  view = nil
  closing.timer:stop()
  closing.timer:close()
  float.close(closing.float)
end

local function refresh()
  if not view then
    return
  end
  if not vim.api.nvim_win_is_valid(view.float.window) then
    return close()
  end
  local rows = M.rows()
  paint.paint(view.float.buffer, view.shown, rows)
  view.shown = rows
end

local function cancel()
  local row = view and view.shown[vim.api.nvim_win_get_cursor(view.float.window)[1]]
  if row and row.key then
    require('himalaya.native').jobs.cancel(row.key)
    refresh()
  end
end

--- Shows the jobs, or goes to the window that shows them.
function M.open()
  if view and vim.api.nvim_win_is_valid(view.float.window) then
    vim.api.nvim_set_current_win(view.float.window)
    return refresh()
  end
  close()
  require('himalaya.core.async_commands').status()
  require('himalaya.ui.highlights').ready()
  local rows = M.rows()
  -- Room for what may come: the window keeps its size.
  local room = { (' '):rep(WIDTH) }
  for _ = 2, math.max(16, math.min(#rows + 4, 30)) do
    room[#room + 1] = ''
  end
  local opened = float.open(room, { title = 'Jobs', filetype = 'himalaya-jobs' })
  view = { float = opened, timer = assert(vim.uv.new_timer()), shown = {} }
  keymaps.apply(opened.buffer, 'jobs', { cancel = cancel, close = close })
  refresh()
  for line, row in ipairs(view.shown) do
    if row.key then
      vim.api.nvim_win_set_cursor(opened.window, { line, 0 })
      break
    end
  end
  view.timer:start(INTERVAL_MS, INTERVAL_MS, vim.schedule_wrap(refresh))
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = opened.buffer, once = true, callback = close })
end

return M
