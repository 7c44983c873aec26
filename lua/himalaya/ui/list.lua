-- The list of a folder: one buffer for each, filled page by page from the store and kept true by its commits. What is
-- shown is asked for again at most ten times a second however fast mail comes in, and only lines that differ are set.

local address = require('himalaya.ui.address')
local config = require('himalaya.config')
local errors = require('himalaya.errors')
local list_rows = require('himalaya.ui.list_rows')
local live = require('himalaya.ui.live')
local mail = require('himalaya.mail')
local state = require('himalaya.core.state')
local views = require('himalaya.ui.view')

local M = {}

local PAGE_SIZE = 50
local PAUSE_MS = 100
local FOOTER = '?:help'

---@class himalaya.List: himalaya.Selection
---@field account string
---@field folder string
---@field buffer integer
---@field view himalaya.ViewBuffer
---@field items himalaya.Item[]
---@field page integer
---@field query? string
---@field threads boolean
---@field first_sync? boolean the first sync of the account was asked for
---@field total? integer
---@field unread? integer
---@field more boolean another page follows
---@field err? himalaya.Error
---@field loading boolean
---@field package made table<himalaya.Item, table> rows by item
---@field package asking? table
---@field package again boolean
---@field package asked_at number
---@field package waits boolean
---@field package turned boolean the next painting begins at the top
---@field package folder_id? integer
---@field package stop fun()
local List = setmetatable({}, { __index = require('himalaya.ui.selection') })
List.__index = List

local of_buffer = {} ---@type table<integer, himalaya.List>

---@param buffer integer
---@return himalaya.List?
function M.of(buffer)
  return of_buffer[buffer]
end

---@return number milliseconds
local function now_ms()
  return vim.uv.hrtime() / 1e6
end

-- A list in several windows is laid out for the current one, else for the first.
---@return integer
function List:width()
  local window = vim.api.nvim_get_current_buf() == self.buffer and 0 or vim.fn.bufwinid(self.buffer)
  return window == -1 and 80 or vim.api.nvim_win_get_width(window)
end

---@return table as `format.page` wants it
function List:standing()
  local known = state.account(self.account)
  local pages = self.total and math.max(1, math.ceil(self.total / PAGE_SIZE)) or nil
  return {
    page = self.page,
    pages = pages,
    total = self.total,
    unread = self.unread,
    last_sync = known.last_sync,
  }
end

---@param width integer
---@return himalaya.PaintedRow
local function footer(width)
  local words = (' '):rep(width - #FOOTER - 1) .. FOOTER
  return { key = 'footer', text = words, spans = { { #words - #FOOTER, #words, 'HimalayaKey' } } }
end

function List:paint()
  if self.view.over then
    return
  end
  local width = self:width()
  local rows = list_rows.of({
    address = (config.account(self.account) or {}).email or self.account,
    folder = self.folder,
    items = self.items,
    page = self:standing(),
    sync = state.sync(),
    filter = self.query,
    selected = self.selected,
    loading = self.loading,
    err = self.err,
    made = self.made,
  }, width)
  rows[#rows + 1] = footer(width)
  local was_empty = self.turned
  self.view:set(rows)
  if was_empty and not self.loading then
    self.turned = false
    for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
      vim.api.nvim_win_set_cursor(window, { math.min(list_rows.ABOVE + 1, #rows), 0 })
      vim.api.nvim_win_call(window, function()
        vim.fn.winrestview({ topline = 1 })
      end)
    end
  end
end

-- Whether two items show as the same row.
---@param a himalaya.Item
---@param b himalaya.Item
---@return boolean
local function looks_same(a, b)
  local x, y = a.flags, b.flags
  return a.pending == b.pending
    and x.seen == y.seen
    and x.flagged == y.flagged
    and x.answered == y.answered
    and x.forwarded == y.forwarded
    and x.draft == y.draft
    and a.subject == b.subject
    and a.from.name == b.from.name
    and a.from.addr == b.from.addr
    and a.date == b.date
    and a.size == b.size
    and a.has_attachment == b.has_attachment
    and a.thread_depth == b.thread_depth
end

---@param err himalaya.Error?
---@param result table?
function List:take(err, result)
  local before = {}
  for _, item in ipairs(self.items) do
    before[item.id] = item
  end
  self.loading = false
  self.err = err
  self.items = result and result.items or {}
  self.more = result ~= nil and result.next ~= nil
  self.total = result and result.total
  self.unread = result and result.unread
  for _, item in ipairs(self.items) do
    self.folder_id = item.folder_id
    if not self.threads then
      item.thread_depth = nil
    end
    local old = before[item.id]
    if old and looks_same(old, item) then
      self.made[item] = self.made[old]
    end
    if self.selected[item.id] then
      self.selected_items[item.id] = item
    end
  end
end

-- Nothing was synced yet: what the reader came for is fetched now, not when the clock says so.
---@return himalaya.Error
function List:look_for_first_sync()
  local options = config.get()
  if options.async.enabled and options.sync.auto and not self.first_sync then
    self.first_sync = true
    require('himalaya.sync.manager').start_sync('full', { account = self.account })
  end
  return errors.new(
    'not_found',
    'Nothing of this folder is here yet;',
    'S syncs everything, c shows what there is.'
  )
end

--- Asks the store for the page that is shown.
function List:fetch()
  if self.view.over then
    return
  elseif self.asking then
    self.again = true
    return
  end
  self.again, self.asked_at = false, now_ms()
  local asked = {}
  self.asking = asked
  local opts = { page = self.page, page_size = PAGE_SIZE, query = self.query, thread = self.threads or nil }
  mail.list(self.account, self.folder, opts, function(err, result)
    self.asking = nil
    if self.view.over or (err and err.code == 'cancelled') then
      return
    end
    local stale = self.page ~= opts.page or self.query ~= opts.query
    if not stale and result and #result.items == 0 and self.page > 1 then
      self.page, stale = self.page - 1, true
    end
    if not stale then
      if err and err.code == 'not_found' then
        err = self:look_for_first_sync()
      end
      self:take(err, result)
      self:paint()
    end
    if stale then
      self:fetch()
    elseif self.again then
      self:fetch_soon()
    end
  end)
end

-- At once when it is long enough since the last time, else a moment later.
function List:fetch_soon()
  if self.waits then
    return
  end
  local pause = PAUSE_MS - (now_ms() - self.asked_at)
  if pause <= 0 then
    self:fetch()
    return
  end
  self.waits = true
  vim.defer_fn(function()
    self.waits = false
    self:fetch()
  end, math.ceil(pause))
end

-- A folder that was not there when it was opened has no number yet; then any news may be about it.
---@param news table
---@return boolean
function List:concerns(news)
  if news.too_many or self.err then
    return true
  end
  for _, folder in ipairs(news.folders) do
    if folder.path == self.folder then
      return true
    end
  end
  for _, kind in ipairs({ news.messages, news.left }) do
    for _, one in ipairs(kind) do
      if one.folder_id == self.folder_id then
        return true
      end
    end
  end
  return false
end

---@param account string
---@param news table
function List:hear(account, news)
  if account ~= self.account then
    return
  end
  for _, left in ipairs(news.left) do
    if left.folder_id == self.folder_id then
      self:unselect(left.id)
    end
  end
  if self:concerns(news) then
    self:fetch_soon()
  end
end

--- Shows another page.
---@param page integer
function List:turn(page)
  if page < 1 or (page > self.page and not self.more) then
    return
  end
  self.page, self.turned = page, true
  self:fetch()
end

--- Shows only what matches; nil or '' shows all again.
---@param query? string
function List:filter(query)
  query = query and vim.trim(query) or nil
  self.query = query ~= '' and query or nil
  self.page, self.turned = 1, true
  self:fetch()
end

--- Shows threads together, or every message by itself.
function List:toggle_threads()
  self.threads = not self.threads
  self.page, self.turned = 1, true
  self:fetch()
end

---@param id any
---@return himalaya.Item?
function List:item(id)
  for _, item in ipairs(self.items) do
    if item.id == id then
      return item
    end
  end
end

---@return himalaya.Item?
function List:item_here()
  local row = self.view:row()
  return row and self:item(row.key)
end

--- Puts the cursor of the current window on a message.
---@param id integer
function List:go_to(id)
  for at, item in ipairs(self.items) do
    if item.id == id then
      vim.api.nvim_win_set_cursor(
        0,
        { math.min(list_rows.ABOVE + at, vim.api.nvim_buf_line_count(self.buffer)), 0 }
      )
    end
  end
end

--- The message after or before one of the page.
---@param id integer
---@param step integer
---@return himalaya.Item?
function List:neighbour(id, step)
  for at, item in ipairs(self.items) do
    if item.id == id then
      return self.items[at + step]
    end
  end
end

--- Makes a buffer the list of a folder.
---@param buffer integer
---@param account string
---@param folder string
---@return himalaya.List
function M.attach(buffer, account, folder)
  local list = setmetatable({
    account = account,
    folder = folder,
    buffer = buffer,
    items = {},
    made = setmetatable({}, { __mode = 'k' }),
    page = 1,
    threads = false,
    selected = {},
    selected_items = {},
    more = false,
    loading = true,
    again = false,
    asked_at = -math.huge,
    waits = false,
    turned = true,
  }, List)
  if of_buffer[buffer] then
    of_buffer[buffer].stop()
  end
  list.stop = live.listen({
    news = function(of, news)
      list:hear(of, news)
    end,
    sync = function()
      list:paint()
    end,
  })
  of_buffer[buffer] = list
  list.view = views.attach(buffer, {
    name = 'list',
    handlers = require('himalaya.ui.list_keys').of(list),
    on_close = function()
      list.stop()
      if of_buffer[buffer] == list then
        of_buffer[buffer] = nil
      end
    end,
  })
  list:paint()
  list:fetch()
  return list
end

--- The buffer of a folder's list, which may not be loaded yet.
---@param account string
---@param folder string
---@return integer
function M.buffer(account, folder)
  return vim.fn.bufadd(address.encode(account, folder))
end

--- Asks the stores again for all lists.
function M.refresh()
  for _, list in pairs(of_buffer) do
    list:fetch()
  end
end

--- Lays all lists out again: a window has another width.
function M.repaint()
  for _, list in pairs(of_buffer) do
    list:paint()
  end
end

return M
