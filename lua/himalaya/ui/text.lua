-- Text from mail, made fit for cells. A subject may hold escape sequences, line breaks, marks that turn the writing
-- direction, marks without a width and emoji that a terminal draws narrower than Neovim counts; each of these would
-- shift or repaint what stands beside it. What comes out of `clean` is one line whose width in cells is what
-- `width` says, in every terminal.
--
-- Plain letters, most of all mail, are passed through after a few searches.

local M = {}

local strwidth = vim.api.nvim_strwidth

-- A mark above or below its letter belongs to it; ten of them make it climb over other rows.
local MOST_MARKS = 2

---@param ranges integer[][]
---@return fun(code: integer): boolean
local function any_of(ranges)
  return function(code)
    for _, range in ipairs(ranges) do
      if code < range[1] then
        return false
      elseif code <= range[2] then
        return true
      end
    end
    return false
  end
end

-- Marks of direction, joiners, marks without a width, selectors of a presentation, skin tones, tags. Sorted.
local is_dropped = any_of({
  { 0x00AD, 0x00AD },
  { 0x034F, 0x034F },
  { 0x061C, 0x061C },
  { 0x115F, 0x1160 },
  { 0x17B4, 0x17B5 },
  { 0x180B, 0x180F },
  { 0x200B, 0x200F },
  { 0x202A, 0x202E },
  { 0x2060, 0x206F },
  { 0x20E3, 0x20E3 },
  { 0x3164, 0x3164 },
  { 0xFE00, 0xFE0F },
  { 0xFEFF, 0xFEFF },
  { 0xFFA0, 0xFFA0 },
  { 0xFFF0, 0xFFFB },
  { 0x1F3FB, 0x1F3FF },
  { 0xE0000, 0xE0FFF },
})

local is_blank = any_of({
  { 0x0000, 0x0020 },
  { 0x007F, 0x00A0 },
  { 0x1680, 0x1680 },
  { 0x2000, 0x200A },
  { 0x2028, 0x2029 },
  { 0x202F, 0x202F },
  { 0x205F, 0x205F },
})

local is_mark = any_of({
  { 0x0300, 0x036F },
  { 0x0483, 0x0489 },
  { 0x0591, 0x05BD },
  { 0x0610, 0x061A },
  { 0x064B, 0x065F },
  { 0x0E31, 0x0E31 },
  { 0x0E34, 0x0E3A },
  { 0x0E47, 0x0E4E },
  { 0x1AB0, 0x1AFF },
  { 0x1DC0, 0x1DFF },
  { 0x20D0, 0x20FF },
  { 0xFE20, 0xFE2F },
})

local is_picture =
  any_of({ { 0x2190, 0x21FF }, { 0x2600, 0x27BF }, { 0x2B00, 0x2BFF }, { 0x1F000, 0x1FFFF } })

local JOINER, FLAG_A, FLAG_Z, REPLACEMENT = 0x200D, 0x1F1E6, 0x1F1FF, '\239\191\189'

--- The code point at `i` and where the next one begins; nil for bytes that are no UTF-8.
---@param s string
---@param i integer
---@return integer? code
---@return integer next
local function decode(s, i)
  local a, b, c, d = s:byte(i, i + 3)
  if a < 0x80 then
    return a, i + 1
  end
  local function follows(byte)
    return byte and byte >= 0x80 and byte < 0xC0
  end
  if a >= 0xC2 and a < 0xE0 and follows(b) then
    return (a - 0xC0) * 64 + (b - 128), i + 2
  elseif a >= 0xE0 and a < 0xF0 and follows(b) and follows(c) then
    local code = (a - 0xE0) * 4096 + (b - 128) * 64 + (c - 128)
    if code >= 0x800 and (code < 0xD800 or code > 0xDFFF) then
      return code, i + 3
    end
  elseif a >= 0xF0 and a < 0xF5 and follows(b) and follows(c) and follows(d) then
    local code = (a - 0xF0) * 262144 + (b - 128) * 4096 + (c - 128) * 64 + (d - 128)
    if code >= 0x10000 and code <= 0x10FFFF then
      return code, i + 4
    end
  end
  return nil, i + 1
end

-- Whole sequences go, not only the escape sign: `ESC[31mred` reads `red`. A long text after an OSC is text.
---@param s string
local function without_escapes(s)
  s = s:gsub('\27%[[0-?]*[ -/]*[@-~]', ''):gsub('\194\155[0-?]*[ -/]*[@-~]', '')
  s = s:gsub('\27%][^\7\27\r\n]-\7', ''):gsub('\27%][^\7\27\r\n]-\27\\', '')
  s = s:gsub('\27[P^_X][^\27\r\n]-\27\\', '')
  return (s:gsub('\27[ -/]*[0-~]', ''))
end

-- Letters that are sure to be one or two cells, by their bytes: Latin, Greek, Cyrillic, Armenian, the common
-- punctuation and money, Japanese, Chinese, Korean. Most of most mail is made of these and ASCII alone, and a grammar
-- finds that out a hundred times faster than looking at every letter does.
local R, S = vim.lpeg.R, vim.lpeg.S
local TAIL = R('\128\191')
local SURE = R(' ~') ^ 1
  + (R('\195\203', '\206\209', '\211\213') * TAIL)
  + (R('\228\233', '\235\236') * TAIL * TAIL)
  + (S('\234') * R('\176\191') * TAIL)
  + (S('\237') * R('\128\159') * TAIL)
  + (S('\227') * ((R('\129\131') * TAIL) + (S('\128') * R('\129\169'))))
  + (S('\226') * ((S('\128') * R('\144\167')) + (S('\130') * R('\160\191'))))
local SURE_LINE = SURE ^ 0 * -1
local SURE_TEXT = (SURE + S('\t\n')) ^ 0 * -1

---@param s string
---@return boolean
local function is_sure(s)
  return SURE_LINE:match(s) ~= nil
end

--- Whether every line of a text is safe as it is, so that none needs a look of its own.
---@param s string
---@return boolean
function M.is_plain(s)
  return SURE_TEXT:match(s) ~= nil
end

-- `keep`: blanks stay as many as they are, and tabs tabs.
---@param s string
---@param keep boolean
---@return string
local function scrub(s, keep)
  if s:find('\27', 1, true) or s:find('\194\155', 1, true) then
    s = without_escapes(s)
    -- What a program coloured is mostly plain letters without its colours.
    if is_sure(s) and (keep or not s:find('  ', 1, true)) then
      return keep and s or vim.trim(s)
    end
  end
  local out, n = {}, 0
  local marks, blank, joined, last = 0, true, false, 0
  local i = 1
  while i <= #s do
    local code, after = decode(s, i)
    local piece = code and s:sub(i, after - 1) or REPLACEMENT
    i = after
    if code and is_blank(code) then
      if keep then
        piece = code == 9 and '\t' or (code >= 32 and ' ' or nil)
      else
        piece = not blank and ' ' or nil
      end
      blank, marks, joined, last = true, 0, false, 0
    elseif code == JOINER then
      -- What is joined to an emoji is drawn in its place.
      joined = is_picture(last)
      piece = nil
    elseif code and is_dropped(code) then
      piece = nil
    elseif code and is_mark(code) then
      marks = marks + 1
      piece = (marks <= MOST_MARKS and not blank) and piece or nil
    else
      if code and code >= FLAG_A and code <= FLAG_Z then
        piece = string.char(65 + code - FLAG_A)
      elseif code and (code % 0x10000 >= 0xFFFE or (code >= 0xFDD0 and code <= 0xFDEF)) then
        piece = REPLACEMENT
      end
      if joined and code and is_picture(code) then
        piece = nil
      else
        blank, marks, last = false, 0, code or 0
      end
      joined = false
    end
    if piece then
      n = n + 1
      out[n] = piece
    end
  end
  if not keep and out[n] == ' ' then
    out[n] = nil
  end
  return table.concat(out)
end

--- One line that is safe in a cell: what was several lines is one, runs of blanks are one.
---@param s string?
---@return string
function M.clean(s)
  if not s or s == '' then
    return ''
  end
  if not s:find('  ', 1, true) and is_sure(s) then
    local first, last = s:byte(1), s:byte(-1)
    return (first == 32 or last == 32) and vim.trim(s) or s
  end
  return scrub(s, false)
end

--- One line of a text that is read: safe as above, but its blanks and tabs are left as they are.
---@param s string without its line break
---@return string
function M.line(s)
  if is_sure(s) then
    return s
  end
  return scrub(s, true)
end

--- Cells that a cleaned text takes. A list asks this four hundred times, mostly of ASCII.
---@param s string
---@return integer
function M.width(s)
  return s:find('[^ -~]') and strwidth(s) or #s
end
local width = M.width

--- The longest beginning of a cleaned text that fits, an ellipsis at its end when something was cut off.
---@param s string
---@param cells integer
---@return string
function M.truncate(s, cells)
  if cells <= 0 then
    return ''
  elseif #s <= cells then
    return s
  elseif not s:find('[^ -~]') then
    return cells == 1 and '…' or (s:sub(1, cells - 1):gsub(' $', '')) .. '…'
  elseif strwidth(s) <= cells then
    return s
  end
  local ellipsis = '…'
  local room = cells - strwidth(ellipsis)
  if room < 0 then
    ellipsis, room = '', cells
  end
  -- A mark adds no cell, so the longest beginning that fits never parts it from its letter.
  local starts = vim.str_utf_pos(s)
  local low, high = 0, math.min(#starts, room * (1 + MOST_MARKS) + 1)
  while low < high do
    local middle = math.floor((low + high + 1) / 2)
    local last = (starts[middle + 1] or #s + 1) - 1
    if strwidth(s:sub(1, last)) <= room then
      low = middle
    else
      high = middle - 1
    end
  end
  local head = s:sub(1, (starts[low + 1] or #s + 1) - 1)
  return head:gsub(' $', '') .. ellipsis
end

--- One cell that is blank, behind which Neovim tells the terminal anew where it is: it does so after everything that
--- terminals draw in different widths. Until 0.11 only a letter can be that, so a dot stands there.
M.ANCHOR = vim.fn.has('nvim-0.11') == 1 and ' \239\184\143' or '·'

--- Whether terminals and Neovim may count its cells differently: scripts whose letters join (Arabic, Devanagari and
--- its relatives, Thai, Khmer, jamo), by the bytes they begin with. What stands behind must be anchored.
---@param s string
---@return boolean
function M.drifts(s)
  return s:find('[\216-\221\224\225]') ~= nil
    or s:find('\234[\160-\175]') ~= nil
    or s:find('\240\145', 1, true) ~= nil
end

--- The longest beginning of a drifting text that no terminal draws over more than so many cells.
---@param s string
---@param cells integer that it may take for Neovim
---@param most integer that it may take for a terminal
---@return string
function M.bound(s, cells, most)
  s = M.truncate(s, cells)
  while cells > 0 and vim.fn.strchars(s) > most do
    cells = math.min(cells, strwidth(s)) - 1
    s = M.truncate(s, cells)
  end
  return s
end

--- Exactly so many cells: cut or filled with blanks, on the left with 'right'.
---@param s string
---@param cells integer
---@param align? 'left'|'right'
---@return string
function M.fit(s, cells, align)
  s = M.truncate(s, cells)
  local gap = (' '):rep(cells - width(s))
  return align == 'right' and gap .. s or s .. gap
end

return M
