-- A screen as tests/ui.lua keeps it, as an SVG: text stays text, every run of cells has the width its cells have, so it
-- looks the same in whatever font the viewer takes for `monospace`.
local M = {}

local FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
local WIDTH, HEIGHT, SIZE, MARGIN = 8, 17, 13.4, 10

---@param text string
---@return string
local function escaped(text)
  return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }))
end

---@param number integer
---@return string
local function colour(number)
  return ('#%06x'):format(number)
end

--- The colours of a cell as they are seen.
---@param ui tests.Ui
---@param id integer
---@return { foreground: string, background: string, bold: boolean?, italic: boolean?, underline: boolean? }
function M.look(ui, id)
  local found = ui.colours[id] or {}
  local front = colour(found.foreground or ui.default.foreground)
  local back = colour(found.background or ui.default.background)
  if found.reverse then
    front, back = back, front
  end
  return {
    foreground = front,
    background = back,
    bold = found.bold,
    italic = found.italic,
    underline = found.underline or found.undercurl,
  }
end

-- Cells side by side with the same look. The second cell of a wide letter is empty.
---@param row { [1]: string, [2]: integer }[]
---@return { first: integer, cells: integer, text: string, highlight: integer }[]
local function runs(row)
  local found, run = {}, nil
  for column, cell in ipairs(row) do
    -- Wide letters stand for themselves: fonts disagree about them most.
    local wide = row[column + 1] and row[column + 1][1] == '' and cell[1] ~= ''
    if not run or run.highlight ~= cell[2] or (cell[1] ~= '' and (wide or run.wide)) then
      run = { first = column, cells = 0, text = '', highlight = cell[2], wide = wide }
      found[#found + 1] = run
    end
    run.cells = run.cells + 1
    run.text = run.text .. cell[1]
  end
  return found
end

---@param ui tests.Ui
---@param title string what it shows, for who cannot see it
---@return string
function M.render(ui, title)
  local width, height = ui.columns * WIDTH + 2 * MARGIN, ui.lines * HEIGHT + 2 * MARGIN
  local out = {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">'):format(
      width,
      height,
      width,
      height
    ),
    ('<title>%s</title>'):format(escaped(title)),
    ('<rect width="%d" height="%d" rx="8" fill="%s"/>'):format(width, height, colour(ui.default.background)),
    ('<g font-family="%s" font-size="%s" xml:space="preserve">'):format(FONTS, SIZE),
  }
  local default = colour(ui.default.background)
  for number, row in ipairs(ui.rows) do
    local top = MARGIN + (number - 1) * HEIGHT
    for _, run in ipairs(runs(row)) do
      local look, left = M.look(ui, run.highlight), MARGIN + (run.first - 1) * WIDTH
      if look.background ~= default then
        out[#out + 1] = ('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>'):format(
          left,
          top,
          run.cells * WIDTH,
          HEIGHT,
          look.background
        )
      end
      local blanks = #run.text:match('^ *')
      local text = run.text:sub(blanks + 1):match('^(.-) *$')
      local cells = run.cells - (#run.text - #text)
      -- A mark that stands on a blank is nothing to see.
      if text ~= '' and cells > 0 then
        local place = ('x="%d" y="%d" textLength="%d"'):format(left + blanks * WIDTH, top + 13, cells * WIDTH)
        out[#out + 1] = ('<text %s lengthAdjust="spacingAndGlyphs" fill="%s"%s%s%s>%s</text>'):format(
          place,
          look.foreground,
          look.bold and ' font-weight="bold"' or '',
          look.italic and ' font-style="italic"' or '',
          look.underline and ' text-decoration="underline"' or '',
          escaped(text)
        )
      end
    end
  end
  out[#out + 1] = '</g>'
  out[#out + 1] = '</svg>'
  return table.concat(out, '\n') .. '\n'
end

return M
