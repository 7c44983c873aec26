-- A buffer of ours: how it is set up, painted, and taken down, the same for every view. Whatever comes late, a reply
-- after :bwipeout or a second :edit, meets a view that knows it is over.

local paint = require('himalaya.ui.paint')

local M = {}

---@class (exact) himalaya.ViewOptions
---@field name string the view's in lua/himalaya/keymaps.lua, and its 'filetype' behind `himalaya-`
---@field handlers table<string, fun()> what its keys do
---@field window? table<string, any> options of a window while it shows the view
---@field on_close? fun() the buffer is gone
---@field rows? boolean it is made of rows to choose from, not of text
---@field unnamed? boolean its buffer gets a name later: `finish` is called then
---@field begin? fun(view: himalaya.ViewBuffer) what takes a while is asked for here, before the user's autocommands run

---@class himalaya.ViewBuffer
---@field buffer integer
---@field over boolean
---@field package name string
---@field package shown himalaya.PaintedRow[]
local View = {}
View.__index = View

local WINDOW = {
  wrap = false,
  number = false,
  relativenumber = false,
  cursorline = true,
  list = false,
  spell = false,
  signcolumn = 'no',
  foldcolumn = '0',
}

local of_buffer = {} ---@type table<integer, himalaya.ViewBuffer>

--- The view of a buffer, nil when it is none of ours.
---@param buffer integer
---@return himalaya.ViewBuffer?
function M.of(buffer)
  return of_buffer[buffer]
end

---@param view himalaya.ViewBuffer
---@param opts himalaya.ViewOptions
local function listen(view, opts)
  local group = vim.api.nvim_create_augroup('himalaya.view.' .. view.buffer, { clear = true })
  local settings = vim.tbl_extend('force', WINDOW, opts.window or {})
  local function dress()
    for option, value in pairs(settings) do
      vim.api.nvim_set_option_value(option, value, { scope = 'local', win = 0 })
    end
  end
  vim.api.nvim_create_autocmd('BufWinEnter', { group = group, buffer = view.buffer, callback = dress })
  vim.api.nvim_create_autocmd({ 'BufUnload', 'BufWipeout' }, {
    group = group,
    buffer = view.buffer,
    callback = function()
      if not view.over then
        view.over = true
        of_buffer[view.buffer] = nil
        vim.api.nvim_del_augroup_by_id(group)
        if opts.on_close then
          opts.on_close()
        end
      end
    end,
  })
  for _, window in ipairs(vim.fn.win_findbuf(view.buffer)) do
    vim.api.nvim_win_call(window, dress)
  end
end

--- Makes a view of a buffer that has its name already; a view it was before ends.
---@param buffer integer
---@param opts himalaya.ViewOptions
---@return himalaya.ViewBuffer
function M.attach(buffer, opts)
  local before = of_buffer[buffer]
  if before then
    before.over = true
  end
  require('himalaya.ui.highlights').ready()
  local view = setmetatable({ buffer = buffer, over = false, name = opts.name, shown = {} }, View)
  of_buffer[buffer] = view
  local bo = vim.bo[buffer]
  -- A session keeps `nowrite` buffers and leaves out `nofile` ones.
  bo.buftype = 'nowrite'
  bo.swapfile = false
  bo.bufhidden = 'hide'
  bo.undolevels = -1
  bo.modifiable = false
  if opts.rows then
    -- The cursor stands on brackets that are boxes to tick; their other halves need no light.
    bo.matchpairs = ''
  end
  require('himalaya.keymaps').apply(buffer, opts.name, opts.handlers)
  listen(view, opts)
  if opts.begin then
    opts.begin(view)
  end
  if not opts.unnamed then
    view:finish()
  end
  return view
end

--- Gives the buffer its 'filetype'. Last, so that a user's FileType autocommands find all else and have the final word.
function View:finish()
  if not self.over and vim.api.nvim_buf_is_valid(self.buffer) then
    vim.bo[self.buffer].filetype = 'himalaya-' .. self.name
  end
end

--- Shows rows; only lines that changed are set. Gives how many, nil when the view is over.
---@param rows himalaya.PaintedRow[]
---@return integer?
function View:set(rows)
  if self.over or not vim.api.nvim_buf_is_valid(self.buffer) then
    return nil
  end
  local set = paint.paint(self.buffer, self.shown, rows)
  self.shown = rows
  return set
end

--- The row under the cursor of a window that shows the view.
---@param window? integer
---@return himalaya.PaintedRow?
function View:row(window)
  return self.shown[vim.api.nvim_win_get_cursor(window or 0)[1]]
end

--- The rows of a stretch of lines, for counts and Visual ranges.
---@param first integer
---@param last integer
---@return himalaya.PaintedRow[]
function View:rows(first, last)
  return vim.list_slice(self.shown, math.min(first, last), math.max(first, last))
end

return M
