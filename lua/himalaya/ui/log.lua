-- :HimalayaLog: what the native module noted and what was said to the user, in one scratch buffer by time. While it
-- is in a window it looks twice a second for more; a cursor on the last line stays on the last line.

local M = {}

local INTERVAL_MS = 500

---@class (exact) himalaya.LogView
---@field buffer integer
---@field timer uv.uv_timer_t
---@field shown string[]

local view ---@type himalaya.LogView?

local LEVELS =
  { ERROR = 'error', WARNING = 'warn', USER_ACTION = 'info', STATUS = 'info', BACKGROUND = 'debug' }

---@return { time_ms: integer, level: string, room: string, text: string }[]
local function native_lines()
  local native = package.loaded['himalaya.native']
  return native and native.log and native.log.recent() or {}
end

---@param line { time_ms: integer, level: string, room: string, text: string }
---@return string
local function format(line)
  local clock = os.date('%H:%M:%S', math.floor(line.time_ms / 1000))
  return ('%s.%03d %-5s %-6s %s'):format(clock, line.time_ms % 1000, line.level, line.room, line.text)
end

--- Everything noted, oldest first, as the view shows it.
---@return string[]
function M.lines()
  local all = {}
  for _, line in ipairs(native_lines()) do
    all[#all + 1] = line
  end
  for _, entry in ipairs(require('himalaya.notify').history()) do
    local text = entry.text:gsub('\n', ' | ')
    if not entry.shown then
      text = text .. ' (not shown)'
    end
    all[#all + 1] = { time_ms = entry.time_ms, level = LEVELS[entry.kind], room = 'notify', text = text }
  end
  local order = {}
  for index, line in ipairs(all) do
    order[line] = index
  end
  table.sort(all, function(a, b)
    if a.time_ms ~= b.time_ms then
      return a.time_ms < b.time_ms
    end
    return order[a] < order[b]
  end)
  return vim.tbl_map(format, all)
end

---@param a string[]
---@param b string[]
---@return integer how many lines at the beginning are the same
local function same_head(a, b)
  local n = math.min(#a, #b)
  for i = 1, n do
    if a[i] ~= b[i] then
      return i - 1
    end
  end
  return n
end

---@param buffer integer
---@return integer[] windows whose cursor is on the last line
local function following(buffer)
  local last = vim.api.nvim_buf_line_count(buffer)
  return vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] == last
  end, vim.fn.win_findbuf(buffer))
end

local function refresh()
  if not view or not vim.api.nvim_buf_is_valid(view.buffer) then
    return
  end
  local lines = M.lines()
  if #lines == 0 then
    lines = { 'Nothing happened yet.' }
  end
  local head = same_head(view.shown, lines)
  if head == #lines and head == #view.shown then
    return
  end
  local follow = following(view.buffer)
  vim.bo[view.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(view.buffer, head, -1, false, vim.list_slice(lines, head + 1))
  vim.bo[view.buffer].modifiable = false
  view.shown = lines
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
  local made = { buffer = buffer, timer = assert(vim.uv.new_timer()), shown = {} }
  require('himalaya.keymaps').apply(buffer, 'log', {
    close = function()
      vim.cmd.bwipeout()
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
  vim.cmd('botright split')
  vim.api.nvim_win_set_buf(0, view.buffer)
  refresh()
  vim.wo.wrap = false
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(view.buffer), 0 })
  vim.bo[view.buffer].filetype = 'himalaya-log'
end

return M
