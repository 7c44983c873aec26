-- Messages in buffers of their own, which bear an address: :edit, marks and sessions bring them back. The key in the
-- address is the server's name of the message, or a hash of what it is, so that it means the same message in a store
-- that was built anew; a buffer whose message is not there says so, shows it once it comes, and never another one.

local address = require('himalaya.ui.address')
local errors = require('himalaya.errors')
local live = require('himalaya.ui.live')
local mail = require('himalaya.mail')
local notify = require('himalaya.notify')
local pages = require('himalaya.ui.page')
local paint = require('himalaya.ui.paint')
local views = require('himalaya.ui.view')

local M = {}

local MOST_HIDDEN = 20
-- A message that is not here yet is looked for again so long after news.
local AGAIN_MS = 500

---@class himalaya.Reader: himalaya.Page
---@field package stop fun()
---@field package wanted? string the key of a message that was not found
---@field package looks boolean
---@field package gone? integer the mark that says it left its folder
local Reader = setmetatable({}, { __index = pages.Page })
Reader.__index = Reader

local of_buffer = {} ---@type table<integer, himalaya.Reader>

---@param buffer integer
---@return himalaya.Reader?
function M.of(buffer)
  return of_buffer[buffer]
end

--- Shows the list again, at this message.
function Reader:back()
  local id = self.id
  require('himalaya.ui.screen').show(self.account, self.folder)
  local list = self:list()
  if list and id then
    list:go_to(id)
  end
end

---@param step integer
function Reader:neighbour(step)
  local list = self:list()
  local item = list and self.id and list:neighbour(self.id, step)
  if item then
    M.open(self.account, self.folder, item.id)
  else
    notify.action(
      step > 0 and 'This is the last message of the page.' or 'This is the first message of the page.'
    )
  end
end

--- Says that the message left its folder while it was open, or takes that back.
---@param gone boolean
function Reader:mark_gone(gone)
  if not gone then
    if self.gone then
      vim.api.nvim_buf_del_extmark(self.buffer, paint.namespace, self.gone)
      self.gone = nil
    end
    return
  end
  self.gone = vim.api.nvim_buf_set_extmark(self.buffer, paint.namespace, 0, 0, {
    id = self.gone,
    virt_text = { { ' no longer in this folder ', 'HimalayaWarning' } },
    virt_text_pos = 'right_align',
  })
end

--- Shows the message that bears the key.
---@param key string
function Reader:find(key)
  self.wanted = nil
  mail.find(
    self.account,
    self.folder,
    key,
    self:still(function(err, id)
      if not err then
        self:load(id, { mark_seen = true })
        return
      end
      self.wanted = key
      if err.code == 'not_found' then
        err = errors.new(
          'not_found',
          'This message was not found.',
          'Sync (S), or open its folder to look for it.'
        )
      end
      self:fail(err)
    end)
  )
end

-- What was not found may have come, or its account may have.
function Reader:look_again()
  if not self.wanted or self.looks then
    return
  end
  self.looks = true
  vim.defer_fn(function()
    self.looks = false
    if self.wanted and not self.view.over then
      self:find(self.wanted)
    end
  end, AGAIN_MS)
end

---@param account string
---@param news table
function Reader:hear(account, news)
  if account ~= self.account then
    return
  end
  self:look_again()
  if not self.id then
    return
  end
  for _, left in ipairs(news.left) do
    if left.id == self.id then
      self:mark_gone(true)
    end
  end
  for _, item in ipairs(self.gone and news.messages or {}) do
    if item.id == self.id then
      local list = self:list()
      self:mark_gone(list ~= nil and list.folder_id ~= item.folder_id)
    end
  end
end

---@param buffer integer
---@param account string
---@param folder string
---@param unnamed? boolean the buffer gets its address later
---@return himalaya.Reader
local function make(buffer, account, folder, unnamed)
  local fields = { account = account, folder = folder, buffer = buffer, looks = false }
  local reader = pages.new(fields, Reader) --[[@as himalaya.Reader]]
  if of_buffer[buffer] then
    of_buffer[buffer].stop()
    of_buffer[buffer]:empty()
  end
  of_buffer[buffer] = reader
  reader.stop = live.listen({
    news = function(of, news)
      reader:hear(of, news)
    end,
    setup = function()
      reader:look_again()
    end,
  })
  reader.view = views.attach(buffer, {
    name = 'message',
    handlers = require('himalaya.ui.reader_keys').of(reader),
    window = pages.WINDOW,
    unnamed = unnamed,
    on_close = function()
      reader.stop()
      reader:empty()
      if of_buffer[buffer] == reader then
        of_buffer[buffer] = nil
      end
    end,
  })
  pages.follow_windows(reader)
  reader:say('Looking ...')
  return reader
end

---@param account string
---@param folder string
---@param id integer
---@return himalaya.Reader?
local function opened(account, folder, id)
  for _, reader in pairs(of_buffer) do
    if reader.id == id and reader.account == account and reader.folder == folder then
      return reader
    end
  end
end

-- A session, or a message that was let go of, may have left a buffer of that name that holds nothing.
---@param name string
---@param buffer integer
local function give_way(name, buffer)
  for _, other in ipairs(vim.api.nvim_list_bufs()) do
    if other ~= buffer and vim.api.nvim_buf_get_name(other) == name then
      pcall(vim.api.nvim_buf_delete, other, { force = true })
    end
  end
end

-- Messages that no window shows are let go of, the oldest first; their names stay and read them again.
local function let_go()
  local hidden = {}
  for buffer in pairs(of_buffer) do
    if #vim.fn.win_findbuf(buffer) == 0 then
      hidden[#hidden + 1] = buffer
    end
  end
  table.sort(hidden)
  for at = 1, #hidden - MOST_HIDDEN do
    pcall(vim.api.nvim_buf_delete, hidden[at], { unload = true, force = true })
  end
end

--- Opens a message in the current window.
---@param account string
---@param folder string
---@param id integer
function M.open(account, folder, id)
  local known = opened(account, folder, id)
  if known then
    vim.api.nvim_win_set_buf(0, known.buffer)
    if known.failed then
      known:load(id, { mark_seen = true })
      return
    end
    mail.read(account, folder, id, { mark_seen = true, max_bytes = 4 }, function() end)
    return
  end
  local buffer = vim.api.nvim_create_buf(false, false)
  local reader = make(buffer, account, folder, true)
  vim.api.nvim_win_set_buf(0, buffer)
  let_go()
  reader:load(id, { mark_seen = true }, function(err, result)
    if not err then
      local name = address.encode(account, folder, result.key)
      give_way(name, buffer)
      pcall(vim.api.nvim_buf_set_name, buffer, name)
    end
    -- Each takes a millisecond with Neovim's own autocommands alone.
    require('himalaya.native').loop.complete(function()
      reader.view:finish()
    end)
  end)
end

--- Makes a buffer that bears a message's address show that message.
---@param buffer integer
---@param account string
---@param folder string
---@param key string
function M.attach(buffer, account, folder, key)
  make(buffer, account, folder):find(key)
end

return M
