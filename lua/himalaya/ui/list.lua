-- The list of a folder: one buffer for each, painted from what its mail (list_mail.lua) is. Only lines that differ are
-- set, and the cursor stays on its message.

local address = require('himalaya.ui.address')
local config = require('himalaya.config')
local list_rows = require('himalaya.ui.list_rows')
local live = require('himalaya.ui.live')
local scrolling = require('himalaya.ui.scrolling')
local state = require('himalaya.core.state')
local views = require('himalaya.ui.view')

local M = {}

local FOOTER = '?:help'

---@class himalaya.List: himalaya.Selection, himalaya.ListMail, himalaya.ListPlace, himalaya.ListScroll
---@field account string
---@field folder string
---@field buffer integer
---@field view himalaya.ViewBuffer
---@field items himalaya.Item[]
---@field by_id table<integer, himalaya.Item>
---@field painted? table<integer, himalaya.Item> those of the rows that are shown until others were made
---@field laying? himalaya.Item[] those whose rows are being made
---@field heights table<integer, integer> of the windows that show it, when they were last laid out
---@field endless boolean no pages: more comes as one scrolls
---@field chunks table[] what an endless list holds
---@field folded table<integer, boolean> threads that are not as `fold_all` says
---@field fold_all boolean
---@field page integer
---@field query? string
---@field answers? string the query that the messages came for
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
---@field package unpainted? boolean there was news while no window showed it
---@field package met? integer the message that a cursor was on last
---@field package back_to? integer the message that the cursor is on after the next painting that begins at the top
---@field package entered? boolean a window begins to show it, and Neovim sets its cursor
---@field folder_id? integer
---@field package stop fun()
local List = vim.tbl_extend(
  'error',
  {},
  require('himalaya.ui.selection'),
  require('himalaya.ui.list_mail'),
  require('himalaya.ui.list_place'),
  require('himalaya.ui.list_scroll')
)
List.__index = List

local of_buffer = {} ---@type table<integer, himalaya.List>
-- `:edit` takes a buffer down and reads it anew before anything else happens.
local just_left = {} ---@type table<integer, himalaya.List>

---@param buffer integer
---@return himalaya.List?
function M.of(buffer)
  return of_buffer[buffer]
end

--- A list in several windows is laid out for the narrowest of the tab page, so that none cuts its rows.
---@return integer
function List:width()
  local width
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(window) == self.buffer then
      width = math.min(width or math.huge, vim.api.nvim_win_get_width(window))
    end
  end
  local elsewhere = vim.fn.win_findbuf(self.buffer)[1]
  return width or (elsewhere and vim.api.nvim_win_get_width(elsewhere)) or 80
end

-- How many messages a filter let through, as far as they were listed. Stores do not count them; pages of threads are
-- of any length.
---@return integer?
function List:found()
  local first = self.chunks[1]
  if self.loading or not self.answers or self.answers ~= self.query then
    return nil
  elseif self.endless then
    return not (first and first.previous) and #self.items or nil
  elseif self.page == 1 or not self.threads then
    return (self.page - 1) * config.get().ui.page_size + #self.items
  end
end

---@return table as `format.page` wants it
function List:standing()
  local known = state.account(self.account)
  local size = config.get().ui.page_size
  local count = self.query and (not self.more and self:found() or nil) or self.total
  return {
    page = not self.endless and self.page or nil,
    pages = count and not (self.query and self.threads) and math.max(1, math.ceil(count / size)) or nil,
    total = not self.query and self.total or nil,
    found = self.query and self:found() or nil,
    more = self.more,
    unread = not self.query and self.unread or nil,
    last_sync = known.last_sync,
  }
end

---@param width integer
---@return himalaya.PaintedRow
local function footer(width)
  local words = (' '):rep(width - #FOOTER - 1) .. FOOTER
  return { key = 'footer', text = words, spans = { { #words - #FOOTER, #words, 'HimalayaKey' } } }
end

---@return himalaya.ListShown
function List:shown()
  return {
    address = (config.account(self.account) or {}).email or self.account,
    folder = self.folder,
    items = self.items,
    page = self:standing(),
    sync = require('himalaya.ui.announce').status(),
    filter = self.query,
    selected = self.selected,
    loading = self.loading,
    err = self.err,
    made = self.made,
    folded = self.threads and function(thread)
      return self:is_folded(thread)
    end or nil,
  }
end

--- Shows messages that just came. Their rows are made a few at a time, and painted in an event of its own, so that no
--- key waits for all of that. `done` is called when they are shown, or others instead.
---@param done? fun()
function List:paint_page(done)
  done = done or function() end
  if #vim.fn.win_findbuf(self.buffer) == 0 then
    self:paint()
    return done()
  end
  local loop = require('himalaya.native').loop
  local items, width, at = self.items, self:width(), 1
  local shown = self:shown()
  local entries = list_rows.entries(shown)
  self.laying = items
  local function finish()
    local others = self.view.over or self.items ~= items
    self.laying = self.laying ~= items and self.laying or nil
    if not others and list_rows.is_long(self:shown(), self:width()) then
      -- News of many of them came, or another width.
      return self:paint_page(done)
    elseif not others then
      self:paint()
    end
    done()
  end
  local function go_on()
    if at > #entries or self.view.over or self.items ~= items then
      return loop.complete(finish)
    end
    list_rows.make(shown, width, entries, at, at + list_rows.A_STEP - 1)
    at = at + list_rows.A_STEP
    loop.complete(go_on)
  end
  loop.complete(go_on)
end

--- Paints what may be painted a few turns of the loop later: at once where that is not long.
function List:paint_soon()
  if self.laying then
    return -- and painted then
  end
  local is_shown = not self.view.over and #vim.fn.win_findbuf(self.buffer) > 0
  if is_shown and list_rows.is_long(self:shown(), self:width()) then
    self:paint_page()
  else
    self:paint()
  end
end

function List:paint()
  if self.view.over then
    return
  elseif #vim.fn.win_findbuf(self.buffer) == 0 then
    -- Nobody looks at it; it is laid out for its window when it has one again.
    self.unpainted = true
    return
  end
  self.unpainted = false
  local width = self:width()
  local rows = list_rows.of(self:shown(), width)
  rows[#rows + 1] = footer(width)
  local was_empty = self.turned
  self.view:set(rows)
  self.painted = nil
  if was_empty and not self.loading then
    self.turned = false
    for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
      vim.api.nvim_win_set_cursor(window, { math.min(list_rows.ABOVE + 1, #rows), 0 })
      scrolling.to(window, 1)
      if self.back_to then
        self:go_to(self.back_to, window)
      end
    end
    self.back_to = nil
  end
  -- In an event of its own: opening a preview takes as long as all this.
  require('himalaya.native').loop.complete(function()
    if not self.view.over then
      self:preview()
    end
  end)
end

--- Has the preview show what the cursor is on. It is loaded when there may be one: with all that shows a message it is
--- a tenth of what the first :Himalaya takes.
function List:preview()
  local previews = package.loaded['himalaya.ui.preview']
  if previews or config.get().ui.preview.open then
    require('himalaya.ui.preview').follow(self)
  end
end

---@param thread integer
---@return boolean
function List:is_folded(thread)
  return self.fold_all ~= (self.folded[thread] or false)
end

--- Folds the thread under the cursor into one row, or shows its messages again.
function List:toggle_fold()
  local item = self:item_here()
  if not self.threads then
    self:toggle_threads()
  elseif item and item.thread then
    self.folded[item.thread] = not self.folded[item.thread] or nil
    self:paint()
    self:go_to(item.id)
  end
end

-- A key is about the rows that are shown, also while those of another page are being made.
---@param id any
---@return himalaya.Item?
function List:item(id)
  return self.by_id[id] or (self.painted and self.painted[id])
end

---@param window? integer
---@return himalaya.Item?
function List:item_here(window)
  local row = self.view:row(window)
  return row and self:item(row.key)
end

--- Makes a buffer the list of a folder.
---@param buffer integer
---@param account string
---@param folder string
---@return himalaya.List
function M.attach(buffer, account, folder)
  local options = config.get().ui
  local list = setmetatable({
    account = account,
    folder = folder,
    buffer = buffer,
    items = {},
    by_id = {},
    endless = options.paging == 'endless',
    chunks = {},
    folded = {},
    fold_all = options.threads == 'folded',
    made = setmetatable({}, { __mode = 'k' }),
    heights = {},
    page = 1,
    threads = options.threads ~= 'off',
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
  if just_left[buffer] then
    list:go_on_from(just_left[buffer])
  end
  list.stop = live.listen({
    news = function(of, news)
      list:hear(of, news)
    end,
    sync = function()
      list:paint_soon()
    end,
    setup = function()
      list:fetch()
    end,
  })
  of_buffer[buffer] = list
  views.attach(buffer, {
    name = 'list',
    rows = true,
    handlers = require('himalaya.ui.list_keys').of(list),
    begin = function(view)
      list.view = view
      list:fetch()
    end,
    on_close = function()
      list.stop()
      if of_buffer[buffer] == list then
        of_buffer[buffer] = nil
      end
      just_left[buffer] = list
      vim.schedule(function()
        just_left[buffer] = nil
      end)
    end,
  })
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'BufLeave', 'WinScrolled', 'BufWinEnter' }, {
    group = 'himalaya.view.' .. buffer,
    buffer = buffer,
    callback = function(event)
      if event.event == 'BufWinEnter' then
        list:enter(vim.api.nvim_get_current_win())
      elseif event.event ~= 'WinScrolled' then
        local item = not list.entered and list:item_here()
        list.met = item and item.id or list.met
        list:preview()
      end
      list:look_around()
    end,
  })
  vim.api.nvim_create_autocmd('BufWinLeave', {
    group = 'himalaya.view.' .. buffer,
    buffer = buffer,
    callback = vim.schedule_wrap(function()
      local previews = package.loaded['himalaya.ui.preview']
      if previews then
        previews.hide_if_alone()
      end
    end),
  })
  list:paint()
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
    list:unscroll()
  end
end

return M
