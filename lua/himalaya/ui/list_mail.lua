-- How a list gets its mail: the methods that ask the store and take in what it tells. A commit that only changes how
-- shown messages look is taken from the news as it is; for everything else the page is read again, at most ten times
-- a second however fast mail comes in.

local config = require('himalaya.config')
local errors = require('himalaya.errors')
local mail = require('himalaya.mail')
local state = require('himalaya.core.state')
local text = require('himalaya.ui.text')

local PAUSE_MS = 100

---@class himalaya.ListMail
local ListMail = {}

---@return number milliseconds
local function now_ms()
  return vim.uv.hrtime() / 1e6
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

-- What is known of a message already is kept where the new one looks the same.
---@param item himalaya.Item
---@param old himalaya.Item?
function ListMail:adopt(item, old)
  self.folder_id = item.folder_id
  self.by_id[item.id] = item
  if old and looks_same(old, item) then
    self.made[item] = self.made[old]
  end
  if self.selected[item.id] then
    self.selected_items[item.id] = item
  end
end

---@param items himalaya.Item[]
function ListMail:take_items(items)
  local before = self.by_id
  self.painted = self.painted or before
  self.items, self.by_id = items, {}
  for _, item in ipairs(items) do
    if not self.threads then
      item.thread_depth = nil
    end
    self:adopt(item, before[item.id])
  end
end

---@param err himalaya.Error?
---@param result table?
function ListMail:take(err, result)
  self.loading = false
  self.answers = self.query
  self.err = err
  self.more = result ~= nil and result.next ~= nil
  self.total = result and result.total
  self.unread = result and result.unread
  self:take_items(result and result.items or {})
end

-- Nothing was synced yet: what the reader came for is fetched now, not when the clock says so.
---@return himalaya.Error
function ListMail:look_for_first_sync()
  local options = config.get()
  if options.async.enabled and options.sync.auto and not self.first_sync then
    self.first_sync = true
    require('himalaya.sync.manager').start_sync('full', { account = self.account })
  end
  local hint = 'S syncs everything, c shows what there is.'
  if state.account(self.account).last_sync then
    local words = ('No folder `%s` is known in %s.'):format(text.truncate(self.folder, 40), self.account)
    return errors.new('not_found', words, hint)
  end
  return errors.new('not_found', 'Nothing of this folder is here yet.', hint)
end

---@param more? table
---@return table
function ListMail:wish(more)
  return vim.tbl_extend('force', {
    page_size = config.get().ui.page_size,
    query = self.query,
    thread = self.threads or nil,
  }, more or {})
end

-- Whether the list has gone on to something else than what was asked for.
---@param asked { page?: integer, query?: string, thread?: boolean }
---@return boolean
function ListMail:moved_on(asked)
  return (asked.page ~= nil and self.page ~= asked.page)
    or self.query ~= asked.query
    or (self.threads or nil) ~= asked.thread
end

---@param err himalaya.Error?
---@return himalaya.Error?
function ListMail:explain(err)
  if err and err.code == 'not_found' then
    return self:look_for_first_sync()
  end
  return err
end

function ListMail:ask()
  local opts = self:wish({ page = self.page })
  mail.list(self.account, self.folder, opts, function(err, result)
    self.asking = nil
    if self.view.over or (err and err.code == 'cancelled') then
      return
    end
    local stale = self:moved_on(opts)
    if not stale and result and #result.items == 0 and self.page > 1 then
      self.page, stale = self.page - 1, true
    end
    if not stale then
      self:take(self:explain(err), result)
      self:paint_page()
    end
    self:asked(stale)
  end)
end

--- What a reply leaves to be done.
---@param stale boolean the reply was to another question
function ListMail:asked(stale)
  self.asking = nil
  if stale then
    self:fetch()
  elseif self.again then
    self:fetch_soon()
  end
end

--- Asks the store for what is shown.
function ListMail:fetch()
  if self.view.over then
    return
  elseif self.asking then
    self.again = true
    return
  end
  self.again, self.asked_at, self.asking = false, now_ms(), {}
  if self.endless then
    self:ask_all()
  else
    self:ask()
  end
end

-- At once when it is long enough since the last time, else a moment later.
function ListMail:fetch_soon()
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
function ListMail:concerns(news)
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

-- The messages of the news that are shown, when the news say no more than that those look different.
---@param news table
---@return himalaya.Item[]?
function ListMail:only_looks(news)
  if news.too_many or self.err or self.query or self.loading or self.asking then
    return nil
  end
  for _, left in ipairs(news.left) do
    if left.folder_id == self.folder_id then
      return nil
    end
  end
  for _, folder in ipairs(news.folders) do
    if folder.path == self.folder and (folder.total ~= self.total or folder.id ~= self.folder_id) then
      return nil
    end
  end
  local items = {}
  for _, item in ipairs(news.messages) do
    if item.folder_id == self.folder_id then
      local old = self.by_id[item.id]
      if old and (old.arrived ~= item.arrived or (self.threads and old.thread ~= item.thread)) then
        return nil
      end
      items[#items + 1] = old and item or nil
    end
  end
  return items
end

---@param changed himalaya.Item[]
---@param news table
function ListMail:repaint_changed(changed, news)
  for _, item in ipairs(changed) do
    local old = self.by_id[item.id]
    -- News know of no thread.
    item.thread_depth = old.thread_depth
    for at, each in ipairs(self.items) do
      if each == old then
        self.items[at] = item
      end
    end
    self:adopt(item, old)
  end
  for _, folder in ipairs(news.folders) do
    if folder.path == self.folder then
      self.unread = folder.unread
    end
  end
  self:paint_soon()
end

---@param account string
---@param news table
function ListMail:hear(account, news)
  if account ~= self.account then
    return
  end
  for _, left in ipairs(news.left) do
    if left.folder_id == self.folder_id then
      self:unselect(left.id)
      self.by_id[left.id] = nil
      if self.painted then
        self.painted[left.id] = nil
      end
    end
  end
  if not self:concerns(news) then
    return
  end
  local changed = self:only_looks(news)
  if changed then
    self:repaint_changed(changed, news)
  else
    self:fetch_soon()
  end
end

--- Shows another page.
---@param page integer
function ListMail:turn(page)
  if page < 1 or (page > self.page and not self.more) then
    return
  end
  self.page, self.turned = page, true
  self:fetch()
end

--- From the top again, of something else.
function ListMail:begin()
  self.page, self.turned, self.chunks = 1, true, {}
  self:fetch()
end

--- Shows only what matches; nil or '' shows all again.
---@param query? string
function ListMail:filter(query)
  query = query and vim.trim(query) or nil
  self.query = query ~= '' and query or nil
  self:begin()
end

--- Shows threads together, or every message by itself.
function ListMail:toggle_threads()
  self.threads = not self.threads
  self:begin()
  -- The cursor stays on its message where that is on the first page.
  self.turned = false
end

return ListMail
