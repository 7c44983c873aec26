-- A list without pages: what is near the window is loaded as one scrolls, in stretches of a page, and what is far
-- from it is let go of, so that scrolling through 50,000 messages never holds more than some hundred. The methods of
-- a list that `ui.paging = 'endless'` brings in.

local config = require('himalaya.config')
local mail = require('himalaya.mail')

-- So many stretches are held at least; the next is asked for when fewer rows than this are left beyond the window.
local MOST = 8
local AHEAD = 25

-- Of short stretches more are held, so that what is above and below the tallest window always fits.
---@return integer
local function most()
  return math.max(MOST, math.ceil((3 * vim.o.lines + 2 * AHEAD) / config.get().ui.page_size))
end

---@class himalaya.ListScroll
local ListScroll = {}

-- What is asked next is found from the lines that are shown, so it waits until they are.
---@param err himalaya.Error?
function ListScroll:take_chunks(err)
  local items = {}
  for _, chunk in ipairs(self.chunks) do
    vim.list_extend(items, chunk.items)
  end
  local last = self.chunks[#self.chunks]
  self:take(self:explain(err), last and {
    items = items,
    next = last.next,
    total = last.total,
    unread = last.unread,
  })
  self:paint_page(function()
    if not self.view.over then
      self:asked(false)
      self:look_around()
    end
  end)
end

--- One stretch; `take` is called with it unless the list has gone on to something else.
---@param where table
---@param take fun(err?: himalaya.Error, chunk?: table)
function ListScroll:ask_chunk(where, take)
  local opts = self:wish(where)
  mail.list(self.account, self.folder, opts, function(err, result)
    if self.view.over or (err and err.code == 'cancelled') then
      self.asking = nil
    elseif self:moved_on({ query = opts.query, thread = opts.thread }) then
      self:asked(true)
    else
      take(err, result)
    end
  end)
end

--- Reads again what is held, from its top.
function ListScroll:ask_all()
  local count, fresh = math.max(1, #self.chunks), {}
  local second = self.chunks[2]
  local first = self.chunks[1]
  local where = { page = 1 }
  if first and first.previous and second and second.previous then
    where = { before = second.previous }
  end
  local function take(err, chunk)
    if chunk and #chunk.items > 0 then
      fresh[#fresh + 1] = chunk
    end
    if chunk and chunk.next and #fresh < count then
      self:ask_chunk({ after = chunk.next }, take)
      return
    end
    if #fresh == 0 and chunk and chunk.items then
      fresh[1] = chunk
    end
    self.chunks = fresh
    self:take_chunks(err)
  end
  self:ask_chunk(where, take)
end

---@param where table
---@param add fun(chunk: table)
function ListScroll:grow(where, add)
  self.asking = {}
  self:ask_chunk(where, function(err, chunk)
    if chunk and #chunk.items > 0 then
      add(chunk)
    end
    self:take_chunks(err)
  end)
end

--- Asks for more where a window comes near the end of what is held.
function ListScroll:look_around()
  if not self.endless or self.asking or self.view.over or #self.chunks == 0 then
    return
  end
  local top, bottom
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    top = math.min(top or math.huge, vim.fn.line('w0', window))
    bottom = math.max(bottom or 0, vim.fn.line('w$', window))
  end
  if not top then
    return
  end
  local first, last = self.chunks[1], self.chunks[#self.chunks]
  if last.next and bottom + AHEAD > vim.api.nvim_buf_line_count(self.buffer) then
    self:grow({ after = last.next }, function(chunk)
      table.insert(self.chunks, chunk)
      if #self.chunks > most() then
        table.remove(self.chunks, 1)
      end
    end)
  elseif first.previous and top < AHEAD then
    self:grow({ before = first.previous }, function(chunk)
      table.insert(self.chunks, 1, chunk)
      if #self.chunks > most() then
        table.remove(self.chunks)
      end
    end)
  end
end

return ListScroll
