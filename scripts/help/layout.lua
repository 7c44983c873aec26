-- The shape of a help file: 78 columns, headings with tags at the right, wrapped text, tables of terms.

local M = {}

M.WIDTH = 78

---@param text string
---@param indent? integer
---@param first? string what the first line begins with instead of the indent
---@return string
function M.wrap(text, indent, first)
  indent = indent or 0
  local lines, line = {}, first or (' '):rep(indent)
  local empty = #line
  local blank = true
  for word in text:gmatch('%S+') do
    if not blank and vim.fn.strdisplaywidth(line .. ' ' .. word) > M.WIDTH then
      lines[#lines + 1] = line
      line, blank = (' '):rep(indent), true
      empty = indent
    end
    line = line .. ((blank or #line == empty) and '' or ' ') .. word
    blank = false
  end
  lines[#lines + 1] = line
  return table.concat(lines, '\n')
end

--- `left` and its tags at the right end of one line, or of two when they do not fit.
---@param left string
---@param ... string
---@return string
function M.tagged(left, ...)
  local tags = {}
  for _, tag in ipairs({ ... }) do
    tags[#tags + 1] = '*' .. tag .. '*'
  end
  local right = table.concat(tags, ' ')
  local gap = M.WIDTH - vim.fn.strdisplaywidth(left) - #right
  if gap < 2 then
    return (' '):rep(M.WIDTH - #right) .. right .. '\n' .. left
  end
  return left .. (' '):rep(gap) .. right
end

---@param title string
---@param tag string
---@return string
function M.chapter(title, tag)
  return ('='):rep(M.WIDTH) .. '\n' .. M.tagged(title:upper(), tag) .. '\n'
end

--- A term and its meaning, hanging at `column`.
---@param term string
---@param text string
---@param column integer
---@return string
function M.entry(term, text, column)
  if vim.fn.strdisplaywidth(term) > column - 2 then
    return term .. '\n' .. M.wrap(text, column)
  end
  return M.wrap(text, column, term .. (' '):rep(column - vim.fn.strdisplaywidth(term)))
end

---@param code string
---@param language? string
---@return string
function M.code(code, language)
  local lines = vim.split(vim.trim(code), '\n')
  return '>'
    .. (language or 'lua')
    .. '\n'
    .. table.concat(
      vim.tbl_map(function(line)
        return line == '' and '' or '    ' .. line
      end, lines),
      '\n'
    )
    .. '\n<'
end

--- Paragraphs of a text, blank lines between them; indented ones are kept as they are.
---@param text string
---@return string
function M.prose(text)
  local out = {}
  for _, paragraph in ipairs(vim.split(vim.trim(text), '\n\n+')) do
    out[#out + 1] = M.wrap(paragraph)
  end
  return table.concat(out, '\n\n')
end

-- A type that is cut into lines is no code span any more, and `|'this'|` in it would be a link.
---@param type_ string
---@return string
function M.spaced(type_)
  return type_:find(' ', 1, true) and (type_:gsub('|', ' | ')) or type_
end

---@param rows { [1]: string, [2]: string, [3]: string }[]
---@return string[]
function M.fields(rows)
  local out = {}
  for _, row in ipairs(rows) do
    local meaning = row[3] ~= '' and ' ' .. row[3] or ''
    out[#out + 1] = M.wrap(
      ('`%s`'):format(M.spaced(row[2])) .. meaning,
      10,
      '      {' .. row[1]:gsub('%?$', '') .. '}' .. (row[1]:find('%?$') and ' (optional)' or '') .. ' '
    )
  end
  return out
end

return M
