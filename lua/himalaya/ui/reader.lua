-- A message in a buffer of its own: headers, attachments, text. The text comes in slices of 32 KB and the next one is
-- asked for when the end of those before comes into sight, so ten megabytes open like ten lines.
--
-- The key in its address is the store's number of the message and a digest of what makes it that message: should the
-- number mean another message one day, the buffer says "not found" and never shows that one.

local address = require('himalaya.ui.address')
local html = require('himalaya.ui.html')
local lists = require('himalaya.ui.list')
local live = require('himalaya.ui.live')
local mail = require('himalaya.mail')
local message = require('himalaya.ui.message')
local notify = require('himalaya.notify')
local paint = require('himalaya.ui.paint')
local text = require('himalaya.ui.text')
local views = require('himalaya.ui.view')

local M = {}

local SLICE = 32 * 1024
-- w3m is given so much of a page.
local MOST_HTML = 1024 * 1024
-- The next slice is asked for when fewer lines than these are left below the window.
local AHEAD = 50
local MOST_HIDDEN = 20

---@class himalaya.Reader
---@field account string
---@field folder string
---@field id? integer
---@field buffer integer
---@field view himalaya.ViewBuffer
---@field parts table<integer, table> attachments by line
---@field folds himalaya.Fold[]
---@field package text? himalaya.MessageText
---@field package offset? integer where the next slice begins; nil at the end
---@field package asking boolean
---@field package stop fun()
---@field package told boolean
local Reader = {}
Reader.__index = Reader

local of_buffer = {} ---@type table<integer, himalaya.Reader>

---@param buffer integer
---@return himalaya.Reader?
function M.of(buffer)
  return of_buffer[buffer]
end

local IDENTITY = { ['message-id'] = 1, date = 2, from = 3, subject = 4 }

---@param headers { name: string, value: string }[]
---@return string
local function digest(headers)
  local parts = { '', '', '', '' }
  for _, header in ipairs(headers) do
    local at = IDENTITY[header.name:lower()]
    if at and parts[at] == '' then
      parts[at] = header.value
    end
  end
  return vim.fn.sha256(table.concat(parts, '\n')):sub(1, 16)
end

---@param words string
---@param group string
---@return himalaya.PaintedRow
local function line_of(words, group)
  return { text = words, spans = words ~= '' and { { 0, #words, group } } or {} }
end

--- Adds rows at the end, or in place of everything.
---@param rows himalaya.Row[]
---@param first? boolean
function Reader:append(rows, first)
  if self.view.over or not vim.api.nvim_buf_is_valid(self.buffer) then
    return
  end
  local lines = vim.tbl_map(function(row)
    return row.text
  end, rows)
  local at = first and 0 or vim.api.nvim_buf_line_count(self.buffer)
  vim.bo[self.buffer].modifiable = true
  if first then
    vim.api.nvim_buf_clear_namespace(self.buffer, paint.namespace, 0, -1)
  end
  vim.api.nvim_buf_set_lines(self.buffer, at, -1, false, lines)
  vim.bo[self.buffer].modifiable = false
  vim.bo[self.buffer].modified = false
  for i, row in ipairs(rows) do
    for _, span in ipairs(row.spans) do
      vim.api.nvim_buf_set_extmark(
        self.buffer,
        paint.namespace,
        at + i - 1,
        span[1],
        { end_col = math.min(span[2], #row.text), hl_group = span[3], strict = false }
      )
    end
  end
end

---@param folds himalaya.Fold[]
function Reader:fold(folds)
  vim.list_extend(self.folds, folds)
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    vim.api.nvim_win_call(window, function()
      for _, fold in ipairs(folds) do
        if fold.last > fold.first then
          pcall(vim.cmd, ('%d,%dfold'):format(fold.first, fold.last))
        end
      end
    end)
  end
end

---@param err himalaya.Error
function Reader:fail(err)
  local words = vim.trim(text.clean(err.message) .. ' ' .. text.clean(err.hint))
  self:append({ line_of('! ' .. words, 'HimalayaSyncError') }, true)
end

---@param slice string
---@param more boolean
function Reader:add_text(slice, more)
  local out = message.continue(self.text, slice, not more)
  self:append(out.rows)
  self:fold(out.folds)
end

--- Asks for the next slice when the end of what is there is near.
function Reader:look_ahead()
  if self.view.over or self.asking or not self.offset then
    return
  end
  local lowest = 0
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    lowest = math.max(lowest, vim.fn.line('w$', window))
  end
  if lowest + AHEAD < vim.api.nvim_buf_line_count(self.buffer) then
    return
  end
  self.asking = true
  local opts = { offset = self.offset, max_bytes = SLICE }
  mail.read(self.account, self.folder, self.id, opts, function(err, result)
    self.asking = false
    if self.view.over then
      return
    end
    self.offset = result and result.more and result.next_offset or nil
    if err then
      self:append({ line_of('! ' .. text.clean(err.message), 'HimalayaSyncError') })
    else
      self:add_text(result.text, result.more)
      self:look_ahead()
    end
  end)
end

---@param words string
function Reader:note(words)
  self.text.count = self.text.count + 2
  self:append({ line_of(words, 'HimalayaWarning'), line_of('', 'HimalayaWarning') })
end

local PLAIN = 'HTML, shown by a plain rendering of our own.'

---@param result table
function Reader:show_text(result)
  self:add_text(result.text, result.more)
  self.offset = result.more and result.next_offset or nil
  self:look_ahead()
end

---@param result table the message with the plain rendering of its page
function Reader:show_html(result)
  local function plainly()
    if not self.view.over then
      self:note(PLAIN)
      self:show_text(result)
    end
  end
  if not html.available() then
    return plainly()
  end
  mail.read(self.account, self.folder, self.id, { max_bytes = MOST_HTML }, function(err, whole)
    if err or not whole.html then
      return plainly()
    end
    local window = vim.fn.bufwinid(self.buffer)
    local width = window ~= -1 and vim.api.nvim_win_get_width(window) or 80
    html.render(whole.html, width - 1, function(failure, rendered)
      if failure or self.view.over then
        return plainly()
      end
      self:note('HTML, shown by w3m.')
      self:add_text(rendered, false)
    end)
  end)
end

---@param result table
function Reader:show(result)
  local out
  out, self.text = message.begin(result)
  self.parts = out.parts
  self:append(out.rows, true)
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    vim.api.nvim_win_set_cursor(window, { 1, 0 })
  end
  self:fold(out.folds)
  if result.text_from_html then
    self:show_html(result)
  else
    self:show_text(result)
  end
end

---@param id integer
---@param done fun(err?: himalaya.Error, result?: table)
function Reader:fetch(id, done)
  mail.read(self.account, self.folder, id, { mark_seen = true, max_bytes = SLICE }, function(err, result)
    if not self.view.over then
      done(err, result)
    end
  end)
end

---@return himalaya.List?
function Reader:list()
  return lists.of(lists.buffer(self.account, self.folder))
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

-- What the list knows of it; what it does not know is taken for read, as it is shown.
---@return himalaya.Item[]
function Reader:items()
  if not self.id then
    return {}
  end
  local list = self:list()
  return { list and list:item(self.id) or { id = self.id, flags = { seen = true } } }
end

---@param reader himalaya.Reader
---@param account string
---@param news table
local function hear(reader, account, news)
  if account ~= reader.account or reader.told then
    return
  end
  for _, left in ipairs(news.left) do
    if left.id == reader.id and vim.fn.bufwinid(reader.buffer) ~= -1 then
      reader.told = true
      notify.status('The message that is shown is no longer in its folder.')
    end
  end
end

---@param buffer integer
---@param account string
---@param folder string
---@return himalaya.Reader
local function make(buffer, account, folder)
  local reader = setmetatable({
    account = account,
    folder = folder,
    buffer = buffer,
    parts = {},
    folds = {},
    asking = false,
    told = false,
  }, Reader)
  if of_buffer[buffer] then
    of_buffer[buffer].stop()
  end
  of_buffer[buffer] = reader
  reader.stop = live.listen({
    news = function(of, news)
      hear(reader, of, news)
    end,
  })
  reader.view = views.attach(buffer, {
    name = 'message',
    handlers = require('himalaya.ui.reader_keys').of(reader),
    window = { wrap = true, linebreak = true, breakindent = true, cursorline = false, foldmethod = 'manual' },
    on_close = function()
      reader.stop()
      if of_buffer[buffer] == reader then
        of_buffer[buffer] = nil
      end
    end,
  })
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'WinScrolled', 'BufWinEnter' }, {
    group = 'himalaya.view.' .. buffer,
    buffer = buffer,
    callback = function()
      reader:look_ahead()
    end,
  })
  reader:append({ line_of('Looking ...', 'HimalayaHeader') }, true)
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
    mail.read(account, folder, id, { mark_seen = true, max_bytes = 4 }, function() end)
    return
  end
  local buffer = vim.api.nvim_create_buf(false, false)
  local reader = make(buffer, account, folder)
  reader.id = id
  vim.api.nvim_win_set_buf(0, buffer)
  let_go()
  reader:fetch(id, function(err, result)
    if err then
      reader:fail(err)
      return
    end
    local name = address.encode(account, folder, ('%d.%s'):format(id, digest(result.headers)))
    give_way(name, buffer)
    pcall(vim.api.nvim_buf_set_name, buffer, name)
    reader:show(result)
  end)
end

--- Makes a buffer that bears a message's address show that message.
---@param buffer integer
---@param account string
---@param folder string
---@param key string
function M.attach(buffer, account, folder, key)
  local reader = make(buffer, account, folder)
  local number, expected = key:match('^(%d+)%.(%x+)$')
  local gone = require('himalaya.errors').new(
    'not_found',
    'This message was not found.',
    'Open its folder to look for it.'
  )
  if not number then
    reader:fail(gone)
    return
  end
  -- Marked as read only once it is sure to be this one.
  mail.read(account, folder, tonumber(number) --[[@as integer]], { max_bytes = SLICE }, function(err, result)
    if reader.view.over then
      return
    elseif err then
      reader:fail(err.code == 'not_found' and gone or err)
    elseif digest(result.headers) ~= expected then
      reader:fail(gone)
    else
      reader.id = tonumber(number)
      reader:show(result)
    end
  end)
end

return M
