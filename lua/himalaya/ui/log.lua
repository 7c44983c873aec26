-- :HimalayaLog: what the native module noted and what was said to the user, in one scratch buffer by time. While it
-- is in a window it looks twice a second for more; a cursor on the last line stays on the last line.

local M = {}

local INTERVAL_MS = 500
-- So many new lines at once are looked for before all are made anew.
local LOOK_BACK = 200
local MOST_LINES = 5000

---@class (exact) himalaya.LogView
---@field buffer integer
---@field timer uv.uv_timer_t
---@field last? himalaya.LogLine the newest of the native module's that is shown
---@field said integer how many messages to the user had been when they were shown last
---@field empty boolean nothing was noted yet
---@field told boolean that is said
---@field from? integer the window that it was opened from

---@class (exact) himalaya.LogLine
---@field time_ms integer
---@field level string
---@field room string
---@field text string

local view ---@type himalaya.LogView?

local LEVELS =
  { ERROR = 'error', WARNING = 'warn', USER_ACTION = 'info', STATUS = 'info', BACKGROUND = 'debug' }

---@param most? integer
---@return himalaya.LogLine[]
local function native_lines(most)
  local native = package.loaded['himalaya.native']
  return native and native.log.recent(most) or {}
end

---@param first integer the first of the messages to the user that is wanted, counted from Neovim's start
---@return himalaya.LogLine[] lines
---@return integer total
local function said_lines(first)
  local history, total = require('himalaya.notify').history()
  local lines = {}
  for i = math.max(1, #history - (total - first)), #history do
    local entry = history[i]
    local text = entry.text:gsub('\n', ' | ') .. (entry.shown and '' or ' (not shown)')
    lines[#lines + 1] = { time_ms = entry.time_ms, level = LEVELS[entry.kind], room = 'notify', text = text }
  end
  return lines, total
end

---@param line himalaya.LogLine
---@return string
local function format(line)
  local clock = os.date('%H:%M:%S', math.floor(line.time_ms / 1000))
  return ('%s.%03d %-5s %-6s %s'):format(clock, line.time_ms % 1000, line.level, line.room, line.text)
end

---@param ... himalaya.LogLine[]
---@return string[] lines by time
local function merge(...)
  local all, order = {}, {}
  for _, lines in ipairs({ ... }) do
    for _, line in ipairs(lines) do
      all[#all + 1] = line
      order[line] = #all
    end
  end
  table.sort(all, function(a, b)
    if a.time_ms ~= b.time_ms then
      return a.time_ms < b.time_ms
    end
    return order[a] < order[b]
  end)
  return vim.tbl_map(format, all)
end

-- The native module's lines after the last one shown; nil when so many came that it is not among the newest.
---@param last himalaya.LogLine?
---@return himalaya.LogLine[]?
local function native_after(last)
  local lines = native_lines(LOOK_BACK)
  for i = #lines, 1, -1 do
    if last and lines[i].time_ms == last.time_ms and lines[i].text == last.text then
      return vim.list_slice(lines, i + 1)
    end
  end
  return not last and #lines < LOOK_BACK and lines or nil
end

---@param buffer integer
---@return integer[] windows whose cursor is on the last line
local function following(buffer)
  local last = vim.api.nvim_buf_line_count(buffer)
  return vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] == last
  end, vim.fn.win_findbuf(buffer))
end

---@param first integer
---@param lines string[]
local function set(first, lines)
  vim.bo[view.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(view.buffer, first, -1, false, lines)
  vim.bo[view.buffer].modifiable = false
end

-- Mostly nothing is new, else a few lines are added; all of them are made anew only when there are too many.
local function refresh()
  if not view or not vim.api.nvim_buf_is_valid(view.buffer) then
    return
  end
  local fresh = native_after(view.last)
  local said, total = said_lines(view.said + 1)
  local count = vim.api.nvim_buf_line_count(view.buffer)
  if fresh and #fresh == 0 and #said == 0 and (view.told or not view.empty) then
    return
  end
  local follow = following(view.buffer)
  if not fresh or count > MOST_LINES then
    fresh = native_lines()
    said = said_lines(1)
    set(0, merge(fresh, said))
    view.empty = false
  elseif #fresh > 0 or #said > 0 then
    set(view.empty and 0 or -1, merge(fresh, said))
    view.empty = false
  else
    set(0, { 'Nothing happened yet.' })
    view.told = true
  end
  view.last = fresh[#fresh] or view.last
  view.said = total
  for _, window in ipairs(follow) do
    vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(view.buffer), 0 })
  end
end

---@return himalaya.LogView
local function make()
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buffer, 'himalaya-log')
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].modifiable = false
  local made = { buffer = buffer, timer = assert(vim.uv.new_timer()), said = 0, empty = true, told = false }
  require('himalaya.keymaps').apply(buffer, 'log', {
    close = function()
      local from, tab = view and view.from or 0, vim.api.nvim_get_current_tabpage()
      vim.cmd.bwipeout()
      -- Neovim goes to the first of the windows above, which may be the sidebar.
      if vim.api.nvim_win_is_valid(from) and vim.api.nvim_win_get_tabpage(from) == tab then
        vim.api.nvim_set_current_win(from)
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buffer,
    callback = function()
      made.timer:close()
      view = nil
    end,
  })
  made.timer:start(INTERVAL_MS, INTERVAL_MS, vim.schedule_wrap(refresh))
  return made
end

--- Shows the log below, or goes to the window that shows it.
function M.open()
  local window = view and vim.fn.bufwinid(view.buffer) or -1
  if window ~= -1 then
    vim.api.nvim_set_current_win(window)
    return
  end
  view = view or make()
  view.from = vim.api.nvim_get_current_win()
  vim.cmd('botright split')
  vim.api.nvim_win_set_buf(0, view.buffer)
  refresh()
  vim.wo.wrap = false
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(view.buffer), 0 })
  vim.bo[view.buffer].filetype = 'himalaya-log'
end

return M
