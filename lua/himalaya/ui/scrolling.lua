-- Where the cursor of a window is and which line is its first, kept and brought back. Neovim sets a first line in the
-- window that it is in alone, and goes for that through every other tab page and back: a list in ten tab pages was a
-- turn of 8 ms. There the cursor alone is set, and the first line once the tab page is entered, before it is drawn.

local M = {}

---@class (exact) himalaya.PutOff
---@field buffer integer what the window shows
---@field topline integer

local later = {} ---@type table<integer, himalaya.PutOff> the first lines that windows are to have
local listens = false -- for tab pages that are entered

---@param window integer
---@return boolean
local function is_here(window)
  return vim.api.nvim_win_get_tabpage(window) == vim.api.nvim_get_current_tabpage()
end

-- Windows of the tab page that was entered; others wait on, and those that are gone are forgotten.
local function catch_up()
  for window, wish in pairs(later) do
    local over = not vim.api.nvim_win_is_valid(window) or vim.api.nvim_win_get_buf(window) ~= wish.buffer
    if over or is_here(window) then
      later[window] = nil
    end
    if not over and is_here(window) then
      M.to(window, wish.topline)
    end
  end
end

---@param window integer
---@param topline integer
local function put_off(window, topline)
  later[window] = { buffer = vim.api.nvim_win_get_buf(window), topline = topline }
  if not listens then
    listens = true
    vim.api.nvim_create_autocmd('TabEnter', {
      group = vim.api.nvim_create_augroup('himalaya.scrolling', { clear = true }),
      desc = 'himalaya: the lines that windows of this tab page begin with',
      callback = function()
        require('himalaya.ui.live').counted(catch_up)
      end,
    })
  end
end

--- The view of a window as `restore` takes it: that of winsaveview(), or what of it can be known from outside.
---@param window integer
---@return table
function M.view(window)
  if is_here(window) then
    return vim.api.nvim_win_call(window, vim.fn.winsaveview)
  end
  local cursor = vim.api.nvim_win_get_cursor(window)
  local wish = later[window]
  local topline = wish and wish.topline or vim.fn.getwininfo(window)[1].topline
  return { lnum = cursor[1], col = cursor[2], topline = topline }
end

--- Makes a line the first of a window; its cursor is set already.
---@param window integer
---@param topline integer
function M.to(window, topline)
  if is_here(window) then
    later[window] = nil
    vim.api.nvim_win_call(window, function()
      vim.fn.winrestview({ topline = topline })
    end)
  else
    put_off(window, topline)
  end
end

---@param window integer
---@param view table what `view` gave, with another line or first line in it
function M.restore(window, view)
  if is_here(window) then
    later[window] = nil
    vim.api.nvim_win_call(window, function()
      vim.fn.winrestview(view)
    end)
    return
  end
  local cursor = vim.api.nvim_win_get_cursor(window)
  if cursor[1] ~= view.lnum or cursor[2] ~= view.col then
    vim.api.nvim_win_set_cursor(window, { view.lnum, view.col })
  end
  put_off(window, view.topline)
end

return M
