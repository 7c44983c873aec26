-- A window over the others, sized by its text and closed by q or Esc, for what is read once.

local M = {}

---@class (exact) himalaya.Float
---@field buffer integer
---@field window integer

---@param lines string[]
---@return integer width
---@return integer height
local function measure(lines)
  local width = 20
  for _, line in ipairs(lines) do
    width = math.max(width, vim.api.nvim_strwidth(line) + 1)
  end
  width = math.max(1, math.min(width, vim.o.columns - 4))
  local rows = 0
  for _, line in ipairs(lines) do
    rows = rows + math.max(1, math.ceil(vim.api.nvim_strwidth(line) / width))
  end
  -- The frame and the command line stay visible, and where there is room so does a little around them.
  local room = vim.o.lines - vim.o.cmdheight - 2
  return width, math.max(1, math.min(rows, room > 20 and room - 3 or room))
end

---@param lines string[]
---@return table
local function place(lines)
  local width, height = measure(lines)
  return {
    relative = 'editor',
    width = width,
    height = height,
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.max(0, math.floor((vim.o.columns - width) / 2)),
  }
end

-- Until 0.11 there is no 'winborder' to follow.
---@return string?
local function border()
  if vim.fn.exists('+winborder') == 1 and vim.o.winborder ~= '' then
    return nil
  end
  return 'rounded'
end

--- Says in the frame how much does not fit into the window.
---@param float himalaya.Float
local function tell_rest(float)
  if not vim.api.nvim_win_is_valid(float.window) then
    return
  end
  local rest = vim.api.nvim_buf_line_count(float.buffer) - vim.fn.line('w$', float.window)
  local words = rest > 0 and (' %d more below '):format(rest)
    or (vim.fn.line('w0', float.window) > 1 and ' the end ' or '')
  local now = vim.api.nvim_win_get_config(float.window).footer
  if words ~= (now and now[1] and now[1][1] or '') and vim.api.nvim_win_get_width(float.window) > #words then
    vim.api.nvim_win_set_config(float.window, { footer = words, footer_pos = 'right' })
  end
end

-- Follows what is scrolled and the size of the screen.
---@param float himalaya.Float
local function follow(float)
  local group = vim.api.nvim_create_augroup('himalaya.float.' .. float.buffer, { clear = true })
  vim.api.nvim_create_autocmd('WinScrolled', {
    group = group,
    pattern = tostring(float.window),
    callback = function()
      tell_rest(float)
    end,
  })
  vim.api.nvim_create_autocmd('VimResized', {
    group = group,
    callback = function()
      if vim.api.nvim_win_is_valid(float.window) then
        local lines = vim.api.nvim_buf_get_lines(float.buffer, 0, -1, false)
        vim.api.nvim_win_set_config(float.window, place(lines))
        tell_rest(float)
      end
    end,
  })
  -- Nobody sees it from another tab page; and Neovim 0.10 ends by a fault when a buffer goes that has the only other
  -- window of a tab page that was left in a float.
  vim.api.nvim_create_autocmd('TabLeave', {
    group = group,
    callback = function()
      if vim.api.nvim_get_current_win() == float.window then
        M.close(float)
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    group = group,
    buffer = float.buffer,
    callback = function()
      vim.api.nvim_del_augroup_by_id(group)
    end,
  })
  tell_rest(float)
end

--- Opens `lines` in a float of its own scratch buffer.
---@param lines string[]
---@param opts { title: string, filetype: string }
---@return himalaya.Float
function M.open(lines, opts)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].bufhidden = 'wipe'
  local at = place(lines)
  at.style = 'minimal'
  at.title = ' ' .. opts.title .. ' '
  at.title_pos = 'center'
  at.border = border()
  local window = vim.api.nvim_open_win(buffer, true, at)
  -- In a narrow window the end of a line is below its beginning, not beyond the frame.
  vim.wo[window].wrap = true
  vim.wo[window].linebreak = true
  vim.wo[window].cursorline = true
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set('n', key, function()
      M.close({ buffer = buffer, window = window })
    end, { buffer = buffer, nowait = true, desc = 'Close' })
  end
  vim.bo[buffer].filetype = opts.filetype
  local float = { buffer = buffer, window = window }
  follow(float)
  return float
end

---@param float himalaya.Float
function M.close(float)
  if vim.api.nvim_win_is_valid(float.window) then
    vim.api.nvim_win_close(float.window, true)
  end
end

return M
