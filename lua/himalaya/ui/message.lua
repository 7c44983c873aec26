-- A message as lines: headers, attachments, then the text with its quotes, signature and links found. The text comes
-- in slices, so a reader of 10 MB begins with the first of them and no slice keeps the editor from a key.

local format = require('himalaya.ui.format')
local text = require('himalaya.ui.text')

local M = {}

---@class (exact) himalaya.Fold
---@field first integer line, from 1
---@field last integer
---@field kind 'headers'|'quote'

---@class (exact) himalaya.MessageLines
---@field rows himalaya.Row[]
---@field folds himalaya.Fold[]
---@field links table<integer, string[]> by line
---@field parts table<integer, table> attachments by line

---@class himalaya.MessageText
---@field count integer lines so far
---@field rest string what a slice left of a line
---@field quote? integer the line where the running quote began
---@field signature boolean

-- Shown open; all others are folded below them.
local SHOWN = { from = 1, to = 2, cc = 3, date = 4, subject = 5 }
--- So many attachments are listed.
M.MOST_ATTACHMENTS = 100
-- Quotes shorter than this are worth no fold.
local SHORT_QUOTE = 5
-- A header of a hostile message is not the message.
local LONGEST_HEADER = 2000
-- Longer lines are shown as several: Neovim lays a line out as a whole, and mail has some of megabytes.
local LONGEST_LINE = 2000
-- What most lines have. Never written to.
local NONE = {} ---@type himalaya.Span[]

---@return himalaya.MessageLines
local function nothing()
  return { rows = {}, folds = {}, links = {}, parts = {} }
end

---@param header { name: string, value: string }
---@return himalaya.Row
local function header_row(header)
  local name = text.clean(header.name)
  local value = text.clean(header.value:sub(1, LONGEST_HEADER))
  if #header.value > LONGEST_HEADER then
    value = value .. '…'
  end
  local line = name .. ': ' .. value
  return {
    text = line,
    spans = { { 0, #name + 1, 'HimalayaHeaderName' }, { #name + 1, #line, 'HimalayaHeaderValue' } },
  }
end

---@param out himalaya.MessageLines
---@param headers { name: string, value: string }[]
local function add_headers(out, headers)
  local shown, others = {}, {}
  for index, header in ipairs(headers) do
    local rank = SHOWN[header.name:lower()]
    local entry = { rank = rank, index = index, row = header_row(header) }
    table.insert(rank and shown or others, entry)
  end
  table.sort(shown, function(a, b)
    if a.rank ~= b.rank then
      return a.rank < b.rank
    end
    return a.index < b.index
  end)
  for _, entry in ipairs(shown) do
    out.rows[#out.rows + 1] = entry.row
  end
  local first = #out.rows + 1
  for _, entry in ipairs(others) do
    out.rows[#out.rows + 1] = entry.row
  end
  if #others > 0 then
    out.folds[#out.folds + 1] = { first = first, last = #out.rows, kind = 'headers' }
  end
end

---@param out himalaya.MessageLines
---@param attachments { name?: string, mime?: string, size?: integer, part: any }[]
---@param count integer
local function add_attachments(out, attachments, count)
  for index = 1, math.min(#attachments + 1, count) do
    local attachment = attachments[index]
    if index > M.MOST_ATTACHMENTS or not attachment then
      local line = ('  and %d more'):format(count - index + 1)
      out.rows[#out.rows + 1] = { text = line, spans = { { 0, #line, 'HimalayaAttachment' } } }
      break
    end
    local name = text.clean(attachment.name)
    local line = ('@ %s  %s  %s'):format(
      text.truncate(name ~= '' and name or '(no name)', 60),
      text.clean(attachment.mime),
      format.size(attachment.size)
    )
    line = line:gsub(' +$', '')
    out.rows[#out.rows + 1] = { text = line, spans = { { 0, #line, 'HimalayaAttachment' } } }
    out.parts[#out.rows] = attachment
  end
end

--- The lines above the text, from what `himalaya.mail.read` gave, and the state to go on with.
---@param message table
---@return himalaya.MessageLines
---@return himalaya.MessageText
function M.begin(message)
  local out = nothing()
  add_headers(out, message.headers or {})
  local attachments = message.attachments or {}
  add_attachments(out, attachments, message.attachment_count or #attachments)
  out.rows[#out.rows + 1] = { text = '', spans = {} }
  return out, { count = #out.rows, rest = '', quote = nil, signature = false }
end

---@param line string
---@return integer level of quoting
local function level_of(line)
  local prefix = line:match('^[> ]*>')
  if not prefix or prefix:find('   ', 1, true) then
    return 0
  end
  return select(2, prefix:gsub('>', ''))
end

-- Schemes are written in any case.
local WEB = '%f[%w][hH][tT][tT][pP][sS]?://[^%s<>"\127-\255]+'
local MAIL = '%f[%w][mM][aA][iI][lL][tT][oO]:[^%s<>"]+'

---@param line string
---@return string[]? links
---@return himalaya.Span[]? spans
local function find_links(line)
  if not line:find(':', 1, true) or not (line:find('://', 1, true) or line:find('[oO]:')) then
    return nil
  end
  local links, spans, at = {}, {}, 1
  while true do
    local first, last = line:find(WEB, at)
    local mail_first, mail_last = line:find(MAIL, at)
    if mail_first and (not first or mail_first < first) then
      first, last = mail_first, mail_last
    end
    if not first then
      break
    end
    local link = line:sub(first, last):gsub("[.,;:!?'%]]+$", '')
    if not link:find('(', 1, true) then
      link = link:gsub('%)+[.,;:!?]*$', '')
    end
    links[#links + 1] = link
    spans[#spans + 1] = { first - 1, first - 1 + #link, 'HimalayaLink' }
    at = last + 1
  end
  if #links > 0 then
    return links, spans
  end
end

---@param state himalaya.MessageText
---@param out himalaya.MessageLines
local function end_quote(state, out)
  if state.quote and state.count - state.quote + 1 >= SHORT_QUOTE then
    out.folds[#out.folds + 1] = { first = state.quote, last = state.count, kind = 'quote' }
  end
  state.quote = nil
end

-- Where a line that is too long is cut: at a blank near its end, else between two characters.
---@param line string
---@return integer
local function cut(line)
  local blank = line:sub(1, LONGEST_LINE):find(' [^ ]*$')
  if blank and blank > LONGEST_LINE - 200 then
    return blank
  end
  local at = LONGEST_LINE
  while at > LONGEST_LINE - 4 and (line:byte(at + 1) or 0) >= 0x80 and (line:byte(at + 1) or 0) < 0xC0 do
    at = at - 1
  end
  return at
end

---@param state himalaya.MessageText
---@param out himalaya.MessageLines
---@param raw string
---@param plain boolean
local function add_line(state, out, raw, plain)
  local line = plain and raw or text.line(raw)
  local level = line:find('>', 1, true) and level_of(line) or 0
  if level == 0 then
    if state.quote then
      end_quote(state, out)
    end
    if line == '-- ' then
      state.signature = true
    end
  elseif not state.quote then
    state.quote = state.count + 1
  end
  state.count = state.count + 1
  local links, spans = find_links(line)
  out.links[state.count] = links
  local group = level > 0 and (level % 2 == 1 and 'HimalayaQuote1' or 'HimalayaQuote2')
    or (state.signature and 'HimalayaSignature')
  if group then
    spans = spans or {}
    table.insert(spans, 1, { 0, #line, group })
  end
  out.rows[#out.rows + 1] = { text = line, spans = spans or NONE }
end

---@param state himalaya.MessageText
---@param out himalaya.MessageLines
---@param raw string
---@param plain boolean
local function add_lines(state, out, raw, plain)
  while #raw > LONGEST_LINE do
    local at = cut(raw)
    add_line(state, out, raw:sub(1, at), plain)
    raw = raw:sub(at + 1)
  end
  add_line(state, out, raw, plain)
end

--- The next slice of the text as lines; their numbers go on from those before.
---@param state himalaya.MessageText
---@param slice string
---@param last boolean no other slice follows
---@return himalaya.MessageLines
function M.continue(state, slice, last)
  local out = nothing()
  -- An ending of the other kind is no part of a line; one that is cut in two waits for its other half.
  local all = (state.rest .. slice):gsub('\r\n', '\n')
  local plain = text.is_plain(all)
  local at = 1
  while true do
    local stop = all:find('\n', at, true)
    if not stop then
      break
    end
    add_lines(state, out, all:sub(at, stop - 1), plain)
    at = stop + 1
  end
  state.rest = all:sub(at)
  while #state.rest > 2 * LONGEST_LINE do
    local stop = cut(state.rest)
    add_line(state, out, state.rest:sub(1, stop), plain)
    state.rest = state.rest:sub(stop + 1)
  end
  if last then
    if state.rest ~= '' then
      add_lines(state, out, state.rest, plain)
      state.rest = ''
    end
    end_quote(state, out)
  end
  return out
end

return M
