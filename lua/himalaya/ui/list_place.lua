-- Where the cursor of a list is: on a message, not on a line, so that it means the same when the list was painted anew,
-- left and come back to, or read again.

local list_rows = require('himalaya.ui.list_rows')

---@class himalaya.ListPlace
local ListPlace = {}

--- Puts the cursor of a window on a message, or on the thread it is folded into.
---@param id integer
---@param window? integer
function ListPlace:go_to(id, window)
  self.met = id
  for line, row in ipairs(self.view.shown) do
    local members = row.members --[[@as integer[]?]]
    if row.key == id or (members and vim.list_contains(members, id)) then
      vim.api.nvim_win_set_cursor(window or 0, { line, 0 })
      return
    end
  end
end

--- Puts the cursor of a window that shows the list anew on the message it was on, else on the first one: Neovim itself
--- remembers a line, and what stands there may be another message by now.
---@param window integer
function ListPlace:settle(window)
  if self.turned or #self.items == 0 then
    return
  end
  if self.met then
    self:go_to(self.met, window)
  end
  if not self:item_here(window) then
    vim.api.nvim_win_set_cursor(window, { math.min(list_rows.ABOVE + 1, #self.view.shown), 0 })
  end
end

--- Leaves messages that are about to go, for the first row below that stays. Rows go a moment after the key: the next
--- one, however soon, is about the next message.
---@param items himalaya.Item[]
---@param window? integer
function ListPlace:step_past(items, window)
  local going = {} ---@type table<integer, boolean>
  for _, item in ipairs(items) do
    going[item.id] = true
  end
  local function goes(row)
    for _, id in ipairs(row.members or { row.key }) do
      if not going[id] then
        return false
      end
    end
    return true
  end
  local shown, line = self.view.shown, vim.api.nvim_win_get_cursor(window or 0)[1]
  local at = line
  while shown[at] and self:item(shown[at].key) and goes(shown[at]) do
    at = at + 1
  end
  if at > line and shown[at] and self:item(shown[at].key) then
    vim.api.nvim_win_set_cursor(window or 0, { at, 0 })
  end
end

--- A window begins to show the list. Its cursor is set by Neovim after this.
---@param window integer
function ListPlace:enter(window)
  self.entered = true
  if self.unpainted then
    self:paint()
  else
    self:preview()
  end
  vim.schedule(function()
    self.entered = false
    local there = vim.api.nvim_win_is_valid(window) and vim.api.nvim_win_get_buf(window) == self.buffer
    if there and not self.view.over then
      self:settle(window)
    end
  end)
end

--- Goes to the next message, or the one before, that was not read.
---@param step integer
function ListPlace:go_to_unread(step)
  local line = vim.fn.line('.')
  for _ = 1, math.abs(step) do
    local at = line
    repeat
      at = at + (step > 0 and 1 or -1)
      local row = self.view.shown[at]
      local item = row and self:item(row.key)
    until not row or (item and not item.flags.seen)
    line = self.view.shown[at] and at or line
  end
  vim.api.nvim_win_set_cursor(0, { line, 0 })
end

--- The message after or before one of the page.
---@param id integer
---@param step integer
---@return himalaya.Item?
function ListPlace:neighbour(id, step)
  for at, item in ipairs(self.items) do
    if item.id == id then
      return self.items[at + step]
    end
  end
end

--- What a user who reads the list anew does not want to lose.
---@param before himalaya.List
function ListPlace:go_on_from(before)
  if before.endless == self.endless then
    self.page, self.chunks = before.page, before.chunks
  end
  self.query, self.threads, self.folded, self.fold_all =
    before.query, before.threads, before.folded, before.fold_all
  self.selected, self.selected_items = before.selected, before.selected_items
  self.met, self.back_to = before.met, before.met
end

-- A window of another height shows the list from its top, where the cursor's row has room below it: Neovim keeps the
-- cursor where it is in the window, and scrolls the lines above it away for that.
function ListPlace:unscroll()
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    local height = vim.api.nvim_win_get_height(window)
    local before = self.heights[window] or height
    self.heights[window] = height
    if height ~= before and vim.api.nvim_win_get_cursor(window)[1] <= height then
      vim.api.nvim_win_call(window, function()
        vim.fn.winrestview({ topline = 1 })
      end)
    end
  end
end

return ListPlace
