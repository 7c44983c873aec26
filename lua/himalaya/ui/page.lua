-- A message in a buffer: headers, attachments, text. The text comes in slices and the next one is asked for
-- when the end of those before comes into sight, so ten megabytes open like ten lines. The reader and the preview
-- are both one of these; a page that is given another message forgets what was still on its way.

local ahead = require('himalaya.ui.ahead')
local anchors = require('himalaya.ui.anchors')
local errors = require('himalaya.errors')
local html = require('himalaya.ui.html')
local mail = require('himalaya.mail')
local message = require('himalaya.ui.message')
local paint = require('himalaya.ui.paint')
local text = require('himalaya.ui.text')

local FIRST, SLICE = 16 * 1024, 64 * 1024
-- So much of it becomes lines in one go; the next go is in the next turn of the loop when this one is used up.
local STEP = 2 * 1024
-- w3m is given so much of a page.
local MOST_HTML = 1024 * 1024
-- The next slice is asked for when fewer lines than these are left below the window.
local AHEAD = 50

---@class himalaya.Page
---@field account string
---@field folder string
---@field id? integer
---@field key? string what the message is called in an address
---@field buffer integer
---@field view himalaya.ViewBuffer
---@field parts table<integer, table> attachments by line
---@field links table<integer, string[]> by line
---@field folds himalaya.Fold[]
---@field attachments table[]
---@field failed boolean its text could not be had
---@field step_past? fun(self: himalaya.Page, items: himalaya.Item[]) goes on past what is about to go
---@field package text? himalaya.MessageText
---@field package offset? integer where the next slice begins; nil at the end
---@field package asking boolean
---@field package turn integer counts the messages that were shown: an answer to an earlier one is dropped
---@field package handle? { cancel: fun(self: table) }
local Page = {}
Page.__index = Page

---@param words string
---@param group string
---@return himalaya.PaintedRow
local function line_of(words, group)
  return { text = words, spans = words ~= '' and { { 0, #words, group } } or {} }
end

--- Adds rows at the end, or in place of everything.
---@param rows himalaya.Row[]
---@param first? boolean
function Page:append(rows, first)
  if self.view.over or not vim.api.nvim_buf_is_valid(self.buffer) then
    return
  end
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = row.text
  end
  local at = first and 0 or vim.api.nvim_buf_line_count(self.buffer)
  vim.bo[self.buffer].modifiable = true
  if first then
    vim.api.nvim_buf_clear_namespace(self.buffer, paint.namespace, 0, -1)
    self:unfold()
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

--- Folds stay where they were when lines go: those of another message must not.
function Page:unfold()
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    vim.api.nvim_win_call(window, function()
      vim.cmd('silent! normal! zE')
    end)
  end
end

---@param window integer
---@param folds himalaya.Fold[]
local function close_folds(window, folds)
  vim.api.nvim_win_call(window, function()
    for _, fold in ipairs(folds) do
      if fold.last > fold.first then
        pcall(vim.cmd, ('%d,%dfold'):format(fold.first, fold.last))
      end
    end
  end)
end

---@param folds himalaya.Fold[]
function Page:fold(folds)
  vim.list_extend(self.folds, folds)
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    close_folds(window, folds)
  end
end

--- Folds belong to a window: one that shows the page for the first time gets them.
---@param window integer
function Page:fold_in(window)
  local first = self.folds[1]
  local known = first
    and vim.api.nvim_win_call(window, function()
      return vim.fn.foldlevel(first.first) > 0
    end)
  if first and not known then
    close_folds(window, self.folds)
  end
end

--- Instead of a message, why there is none.
---@param err himalaya.Error
function Page:fail(err)
  self:empty()
  self:append({ line_of('! ' .. text.clean(errors.sentence(err)), 'HimalayaSyncError') }, true)
end

--- Forgets the message, and what is still asked for it.
function Page:empty()
  self.turn = self.turn + 1
  if self.handle then
    self.handle:cancel()
    self.handle = nil
  end
  self.id, self.key, self.offset, self.text, self.asking = nil, nil, nil, nil, false
  self.failed = false
  self.parts, self.links, self.folds, self.attachments = {}, {}, {}, {}
end

--- A line of its own in place of everything.
---@param words string
function Page:say(words)
  self:append({ line_of(words, 'HimalayaHeader') }, true)
end

-- `fn` unless the page is over or shows another message by then.
---@param fn fun(...)
---@return fun(...)
function Page:still(fn)
  local turn = self.turn
  return function(...)
    if not self.view.over and self.turn == turn then
      fn(...)
    end
  end
end

---@param slice string
---@param more boolean
---@param done? fun() all of it is in the buffer
function Page:add_text(slice, more, done)
  local turn, at = self.turn, 1
  local function go_on()
    if self.view.over or self.turn ~= turn then
      return
    end
    local piece = slice:sub(at, at + STEP - 1)
    at = at + STEP
    local last = at > #slice
    local out = message.continue(self.text, piece, last and not more)
    self:append(out.rows)
    self:fold(out.folds)
    for line, links in pairs(out.links) do
      self.links[line] = links
    end
    if not last then
      require('himalaya.native').loop.complete(go_on)
    elseif done then
      done()
    end
  end
  require('himalaya.native').loop.complete(go_on)
end

--- Asks for the next slice when the end of what is there is near.
function Page:look_ahead()
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
  local opts = { offset = self.offset, max_bytes = SLICE, max_attachments = 0 }
  self.handle = mail.read(
    self.account,
    self.folder,
    self.id,
    opts,
    self:still(function(err, result)
      self.offset = result and result.more and result.next_offset or nil
      if err then
        self.asking = false
        self:append({ line_of('! ' .. text.clean(errors.sentence(err)), 'HimalayaSyncError') })
        return
      end
      self:add_text(result.text, result.more, function()
        self.asking = false
        self:look_ahead()
      end)
    end)
  )
end

---@param words string
function Page:note(words)
  self.text.count = self.text.count + 2
  self:append({ line_of(words, 'HimalayaWarning'), line_of('', 'HimalayaWarning') })
end

local PLAIN = 'HTML, shown by a plain rendering of our own.'

---@param result table
function Page:show_text(result)
  self:add_text(result.text, result.more, function()
    self.offset = result.more and result.next_offset or nil
    self:look_ahead()
  end)
end

---@param result table the message with the plain rendering of its page
function Page:show_html(result)
  local plainly = self:still(function()
    self:note(PLAIN)
    self:show_text(result)
  end)
  if not html.available() then
    return plainly()
  end
  local rendered = self:still(function(err, page)
    if err then
      return plainly()
    end
    self:note('HTML, shown by w3m.')
    self:add_text(page, false)
  end)
  local whole = self:still(function(err, read)
    if err or not read.html then
      return plainly()
    end
    local window = vim.fn.bufwinid(self.buffer)
    local width = window ~= -1 and vim.api.nvim_win_get_width(window) or 80
    self.handle = html.render(read.html, width - 1, rendered)
  end)
  self.handle =
    mail.read(self.account, self.folder, self.id, { max_bytes = MOST_HTML, max_attachments = 0 }, whole)
end

---@param result table
function Page:show(result)
  local out
  out, self.text = message.begin(result)
  self.key = result.key
  self.parts = out.parts
  self.attachments = result.attachments
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

--- Shows a message of the page's folder; what is shown stays until that is there. `done` hears of it before its
--- first line is drawn.
---@param id integer
---@param opts { mark_seen?: boolean }
---@param done? fun(err?: himalaya.Error, result?: table)
function Page:load(id, opts, done)
  self:empty()
  self.id = id
  local wanted = { mark_seen = opts.mark_seen, max_bytes = FIRST, max_attachments = message.MOST_ATTACHMENTS }
  self.handle = mail.read(
    self.account,
    self.folder,
    id,
    wanted,
    self:still(function(err, result)
      if done then
        done(err, result)
      end
      local function show()
        self:show(result)
        ahead.look(self:list(), id)
      end
      if err then
        self:fail(err)
        -- What can be done to a message can be done to one whose text is not here.
        self.id, self.failed = id, true
      elseif done then
        -- In an event of its own: names and autocommands of a buffer take as long as its first lines do.
        require('himalaya.native').loop.complete(self:still(show))
      else
        show()
      end
    end)
  )
end

-- What the list knows of it; what it does not know is taken for read, as it is shown.
---@return himalaya.Item[]
function Page:items()
  if not self.id then
    return {}
  end
  local list = self:list()
  return { list and list:item(self.id) or { id = self.id, flags = { seen = true } } }
end

---@return himalaya.List?
function Page:list()
  local lists = require('himalaya.ui.list')
  return lists.of(lists.buffer(self.account, self.folder))
end

local M = { Page = Page }

--- Makes `fields`, which has account, folder and buffer, a page; its view is attached by the caller.
---@param fields table
---@param class? table what knows more than a page
---@return himalaya.Page
function M.new(fields, class)
  local page = setmetatable(fields, class or Page) --[[@as himalaya.Page]]
  page.turn = 0
  page:empty()
  return page
end

--- The options of a window that shows one.
M.WINDOW = {
  wrap = true,
  linebreak = true,
  breakindent = true,
  cursorline = false,
  foldmethod = 'manual',
  foldenable = true,
  foldtext = "v:lua.require'himalaya.ui.folds'.text()",
}

--- Keeps a page filled, folded and anchored while windows show it; its view must be attached.
---@param page himalaya.Page
function M.follow_windows(page)
  anchors.attach(page.buffer)
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'WinScrolled', 'BufWinEnter' }, {
    group = 'himalaya.view.' .. page.buffer,
    buffer = page.buffer,
    callback = function(event)
      if event.event == 'BufWinEnter' then
        page:fold_in(0)
      end
      page:look_ahead()
    end,
  })
end

return M
