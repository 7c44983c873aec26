-- :HimalayaJobs: what runs, what waits and what has ended lately, each with how long it waited and took. Looks again
-- four times a second while it is shown, and draws only what changed.

local float = require('himalaya.ui.float')
local keymaps = require('himalaya.keymaps')

local M = {}

local INTERVAL_MS = 250
local MOST_QUEUED = 200

---@class (exact) himalaya.JobsView
---@field float himalaya.Float
---@field timer uv.uv_timer_t
---@field shown string[]
---@field ids table<integer, integer> line to job

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

---@param job himalaya.JobSight
---@return string
local function line_of(job)
  local attempts = job.attempts > 1 and (' (attempt %d)'):format(job.attempts) or ''
  local took = job.attempts > 0 and span(job.duration_ms) or ''
  return ('  %-10s %-10s %12s %12s  %s%s'):format(
    job.state:gsub('_', ' '),
    job.priority,
    span(job.queued_ms),
    took,
    plain(job.name),
    attempts
  )
end

---@return string[] lines
---@return table<integer, integer> ids
function M.lines()
  local all = require('himalaya.native').jobs.list(MOST_QUEUED)
  local queued = all.queued.user + all.queued.ui + all.queued.background
  local lines = {
    (' %d running, %d queued; %d completed, %d failed, %d cancelled, %d timed out'):format(
      all.running,
      queued,
      all.completed,
      all.failed,
      all.cancelled,
      all.timed_out
    ),
    '',
  }
  local ids = {}
  local function section(title, jobs, none)
    lines[#lines + 1] = (' %-11s %-10s %12s %12s  %s'):format(title, 'priority', 'waited', 'took', 'job')
    for _, job in ipairs(jobs) do
      lines[#lines + 1] = line_of(job)
      ids[#lines] = job.id
    end
    if #jobs == 0 then
      lines[#lines + 1] = '  ' .. none
    end
  end
  local running, waiting = {}, {}
  for _, job in ipairs(all.jobs) do
    local list = (job.state == 'running' or job.state == 'ending') and running or waiting
    list[#list + 1] = job
  end
  section('Running', running, 'nothing')
  lines[#lines + 1] = ''
  section('Queued', waiting, 'nothing')
  if all.alive > #all.jobs then
    lines[#lines + 1] = ('  and %d more'):format(all.alive - #all.jobs)
  end
  lines[#lines + 1] = ''
  section('Recent', all.recent, 'nothing has ended yet')
  return lines, ids
end

-- The cursor stays on its job while lines come and go above it.
---@param now himalaya.JobsView
---@param ids table<integer, integer>
local function follow(now, ids)
  local window = now.float.window
  local job = now.ids[vim.api.nvim_win_get_cursor(window)[1]]
  now.ids = ids
  for row, id in pairs(ids) do
    if id == job then
      vim.api.nvim_win_set_cursor(window, { row, 0 })
      return
    end
  end
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
  local lines, ids = M.lines()
  if not vim.deep_equal(lines, view.shown) then
    view.shown = lines
    vim.bo[view.float.buffer].modifiable = true
    vim.api.nvim_buf_set_lines(view.float.buffer, 0, -1, false, lines)
    vim.bo[view.float.buffer].modifiable = false
    follow(view, ids)
  end
end

local function cancel()
  local id = view and view.ids[vim.api.nvim_win_get_cursor(view.float.window)[1]]
  if id then
    require('himalaya.native').jobs.cancel(id)
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
  local lines, ids = M.lines()
  local shown = vim.list_extend({}, lines)
  -- Room for what may come: the window keeps its size.
  for _ = #shown + 1, math.max(16, math.min(#shown + 4, 30)) do
    shown[#shown + 1] = ''
  end
  shown[1] = shown[1] .. (' '):rep(math.max(0, 90 - #shown[1]))
  local opened = float.open(shown, { title = 'Jobs', filetype = 'himalaya-jobs' })
  view = { float = opened, timer = assert(vim.uv.new_timer()), shown = shown, ids = ids }
  keymaps.apply(opened.buffer, 'jobs', { cancel = cancel, close = close })
  refresh()
  vim.api.nvim_win_set_cursor(opened.window, { next(ids) and math.min(unpack(vim.tbl_keys(ids))) or 1, 0 })
  view.timer:start(INTERVAL_MS, INTERVAL_MS, vim.schedule_wrap(refresh))
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = opened.buffer, once = true, callback = close })
end

return M
