-- The message under the cursor of a list, in a window beside or below it: one in each tab page that wants it. It
-- follows the cursor once that rests for a moment, forgets what it asked for when the cursor moves on, and never
-- marks a message as read.

local config = require('himalaya.config')
local pages = require('himalaya.ui.page')
local views = require('himalaya.ui.view')

local M = {}

-- The first step is followed at once; while keys repeat, only the last one is.
local REST_MS = 60
-- In a list as wide as this both halves are wide enough for mail.
local WIDE = 160
local LEAST_LINES, LEAST_COLUMNS = 5, 30

---@class himalaya.Preview: himalaya.Page
---@field tab integer
---@field window integer
---@field from? himalaya.List the list it follows
---@field package hiding? boolean
---@field package says_nothing? boolean
---@field package stepped number when the cursor moved last
---@field package due? integer the message that the rest is waited for
local Preview = setmetatable({}, { __index = pages.Page })
Preview.__index = Preview

local previews = {} ---@type table<integer, himalaya.Preview> by tab page
local wishes = {} ---@type table<integer, boolean> what was chosen for a tab page

---@param tab integer
---@return boolean
local function wanted(tab)
  if wishes[tab] ~= nil then
    return wishes[tab]
  end
  return config.get().ui.preview.open
end

--- The preview of this tab page, when it is open.
---@return himalaya.Preview?
function M.of_tab()
  return previews[vim.api.nvim_get_current_tabpage()]
end

---@param buffer integer
---@return himalaya.Preview?
function M.of(buffer)
  for _, preview in pairs(previews) do
    if preview.buffer == buffer then
      return preview
    end
  end
end

---@param list_window integer
---@return table
local function place(list_window)
  local options = config.get().ui.preview
  local width, height = vim.api.nvim_win_get_width(list_window), vim.api.nvim_win_get_height(list_window)
  local split = options.split
  if split == 'auto' then
    split = width >= WIDE and 'right' or 'below'
  end
  if split == 'right' then
    return {
      split = 'right',
      win = list_window,
      width = math.max(LEAST_COLUMNS, math.floor(width * options.size)),
    }
  end
  return {
    split = 'below',
    win = list_window,
    height = math.max(LEAST_LINES, math.floor(height * options.size)),
  }
end

---@param list himalaya.List
---@param list_window integer
---@return himalaya.Preview?
local function open(list, list_window)
  local buffer = vim.api.nvim_create_buf(false, true)
  local tab = vim.api.nvim_get_current_tabpage()
  local fields = { account = list.account, folder = list.folder, buffer = buffer, tab = tab }
  local preview = pages.new(fields, Preview) --[[@as himalaya.Preview]]
  preview.stepped = -math.huge
  preview.view = views.attach(buffer, {
    name = 'message',
    handlers = require('himalaya.ui.reader_keys').of_preview(preview),
    window = pages.WINDOW,
    on_close = function()
      preview:empty()
      if previews[tab] == preview then
        previews[tab] = nil
        -- Closed by the user's own hand: not before it is asked for.
        if not preview.hiding then
          wishes[tab] = false
        end
      end
    end,
  })
  vim.bo[buffer].buftype = 'nofile'
  vim.bo[buffer].bufhidden = 'wipe'
  pcall(vim.api.nvim_buf_set_name, buffer, ('himalaya-preview-%d'):format(buffer))
  -- A screen too small for another window has none.
  local seen = vim.api.nvim_win_call(list_window, vim.fn.winsaveview)
  local ok, window = pcall(vim.api.nvim_open_win, buffer, false, place(list_window))
  if not ok then
    vim.api.nvim_buf_delete(buffer, { force = true })
    return nil
  end
  -- The list stays at its top, whatever 'splitkeep' makes of it.
  vim.api.nvim_win_call(list_window, function()
    vim.fn.winrestview(seen)
  end)
  previews[tab] = preview
  preview.window = window
  pages.follow_windows(preview)
  return preview
end

-- The window of this tab page that shows the list.
---@param list himalaya.List
---@return integer?
local function window_of(list)
  if vim.api.nvim_get_current_buf() == list.buffer then
    return vim.api.nvim_get_current_win()
  end
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(window) == list.buffer then
      return window
    end
  end
end

---@param id integer
function Preview:show_soon(id)
  local now = vim.uv.hrtime() / 1e6
  local rested = now - self.stepped > REST_MS
  self.stepped = now
  self:empty()
  self.due = id
  if rested then
    self:show_due(id)
    return
  end
  vim.defer_fn(function()
    self:show_due(id)
  end, REST_MS)
end

---@param id integer
function Preview:show_due(id)
  if self.due == id and not self.view.over then
    self.due = nil
    self:load(id, { mark_seen = false })
  end
end

--- Shows what the cursor of the list is on, where this tab page has the list and wants a preview.
---@param list himalaya.List
function M.follow(list)
  local tab = vim.api.nvim_get_current_tabpage()
  local preview = previews[tab]
  if not preview and not wanted(tab) then
    return
  end
  local window = window_of(list)
  if not window or vim.fn.getcmdwintype() ~= '' then
    return
  end
  preview = preview or open(list, window)
  if not preview then
    return
  end
  local item = list:item_here(window)
  if preview.from ~= list then
    preview:empty()
    preview.from, preview.account, preview.folder, preview.due = list, list.account, list.folder, nil
  end
  if not item then
    if preview.id or preview.due or not preview.says_nothing then
      preview:empty()
      preview.due, preview.says_nothing = nil, true
      preview:append({ { text = '', spans = {} } }, true)
    end
    return
  end
  preview.says_nothing = false
  if item.id ~= preview.id and item.id ~= preview.due then
    preview:show_soon(item.id)
  end
end

--- Opens the preview of this tab page or closes it.
---@param list? himalaya.List
function M.toggle(list)
  local tab = vim.api.nvim_get_current_tabpage()
  local preview = previews[tab]
  wishes[tab] = preview == nil
  if preview then
    preview:close()
  elseif list then
    M.follow(list)
  end
end

--- Takes the preview away until a list is shown again in this tab page.
function M.hide()
  local preview = M.of_tab()
  if preview and vim.api.nvim_win_is_valid(preview.window) then
    preview.hiding = true
    pcall(vim.api.nvim_win_close, preview.window, true)
  end
end

--- Takes it away with the last list of the tab page.
function M.hide_if_alone()
  local preview = M.of_tab()
  if preview and not (preview.from and window_of(preview.from)) then
    M.hide()
  end
end

--- The screen of this tab page is closed: the option says again whether there is one.
function M.forget()
  M.hide()
  wishes[vim.api.nvim_get_current_tabpage()] = nil
end

--- Closes it, until it is asked for again.
function Preview:close()
  wishes[self.tab] = false
  self:focus_list()
  M.hide()
end

function Preview:focus()
  vim.api.nvim_set_current_win(self.window)
end

---@return integer?
function Preview:focus_list()
  local window = self.from and window_of(self.from)
  if window then
    vim.api.nvim_set_current_win(window)
  end
  return window
end

-- What a key means: the message the cursor has moved to counts before the first line of it is there, so that no key of
-- somebody who types faster than mail is read is lost.
---@return integer?
function Preview:meant()
  return self.due or self.id
end

---@return himalaya.Item[]
function Preview:items()
  local id = self:meant()
  local item = id and self.from and self.from:item(id)
  return item and { item } or pages.Page.items(self)
end

--- The same message in the list's window.
function Preview:open_whole()
  local id = self:meant()
  if id and self:focus_list() then
    M.hide()
    require('himalaya.ui.reader').open(self.account, self.folder, id)
  end
end

---@param items himalaya.Item[]
function Preview:step_past(items)
  local window = self.from and window_of(self.from)
  if window then
    self.from:step_past(items, window)
    M.follow(self.from)
  end
end

--- Moves the list's cursor, and follows it.
---@param step integer
function Preview:step(step)
  local list = self.from
  local window = list and window_of(list)
  local id = self:meant()
  local item = window and id and list:neighbour(id, step)
  if item then
    list:go_to(item.id, window)
    M.follow(list)
  end
end

return M
