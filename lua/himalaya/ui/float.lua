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
  return math.max(1, math.min(width, vim.o.columns - 4)), math.max(1, math.min(#lines, vim.o.lines - 6))
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
  vim.wo[window].wrap = false
  vim.wo[window].cursorline = true
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set('n', key, function()
      M.close({ buffer = buffer, window = window })
    end, { buffer = buffer, nowait = true, desc = 'Close' })
  end
  vim.bo[buffer].filetype = opts.filetype
  return { buffer = buffer, window = window }
end

---@param float himalaya.Float
function M.close(float)
  if vim.api.nvim_win_is_valid(float.window) then
    vim.api.nvim_win_close(float.window, true)
  end
end

return M
