-- A screen for a child Neovim: it attaches as a terminal does (ext_linegrid), keeps the cells with their colours, and
-- notes when each picture was complete. So a test can tell how long a key took to show, and what was shown in which
-- colour, which `child.screen()` cannot: that one makes the child draw.
--
--   local ui = require('tests.ui').attach(child, 100, 30)
--   ui.press('<C-d>', function() return ui.find('Page 2 /') end)    -- milliseconds from the key to the picture
--   ui.line(1), ui.find('text')                                     -- text of a row; the row that has it
--   ui.cell(row, column)                                            -- { text, highlight }
local child_of = require('tests.child')

local M = {}

---@class tests.Ui
---@field rows { [1]: string, [2]: integer }[][]
---@field colours table<integer, table> by highlight id: foreground, background, bold, reverse ...
---@field default { foreground: integer, background: integer }
---@field cursor { [1]: integer, [2]: integer } from 1
---@field flushes integer complete pictures so far
---@field bells integer rung so far

---@param ui tests.Ui
local function on_event(ui)
  local on = {}

  function on.grid_resize(_, columns, lines)
    ui.columns, ui.lines = columns, lines
    for row = 1, lines do
      ui.rows[row] = ui.rows[row] or {}
      for column = 1, columns do
        ui.rows[row][column] = ui.rows[row][column] or { ' ', 0 }
      end
    end
  end

  function on.grid_clear()
    for row = 1, ui.lines do
      for column = 1, ui.columns do
        ui.rows[row][column] = { ' ', 0 }
      end
    end
  end

  function on.grid_line(_, row, column, cells)
    local line, at, highlight = ui.rows[row + 1], column + 1, 0
    for _, cell in ipairs(cells) do
      highlight = cell[2] or highlight
      for _ = 1, cell[3] or 1 do
        line[at] = { cell[1], highlight }
        at = at + 1
      end
    end
  end

  function on.grid_scroll(_, top, bottom, left, right, by)
    local first, last, step = top + 1, bottom - by, 1
    if by < 0 then
      first, last, step = bottom, top + 1 - by, -1
    end
    for row = first, last, step do
      for column = left + 1, right do
        ui.rows[row][column] = ui.rows[row + by][column]
      end
    end
  end

  function on.bell()
    ui.bells = ui.bells + 1
  end

  function on.grid_cursor_goto(_, row, column)
    ui.cursor = { row + 1, column + 1 }
  end

  function on.hl_attr_define(id, rgb)
    ui.colours[id] = rgb
  end

  function on.default_colors_set(foreground, background)
    ui.default = { foreground = foreground, background = background }
  end

  return on
end

---@param child table of tests/child.lua
---@param columns? integer
---@param lines? integer
---@return tests.Ui
function M.attach(child, columns, lines)
  local ui = {
    rows = {},
    colours = {},
    default = {},
    cursor = { 1, 1 },
    flushes = 0,
    bells = 0,
    columns = 0,
    lines = 0,
  }
  local handlers = on_event(ui)
  local pipe = assert(vim.uv.new_pipe())
  local awaited ---@type { condition: fun(): any, at: integer? }?
  local replies, asked, over = {}, 0, nil

  local function redraw(batch)
    for _, event in ipairs(batch) do
      if event[1] == 'flush' then
        ui.flushes = ui.flushes + 1
        if awaited and not awaited.at and awaited.condition() then
          awaited.at = vim.uv.hrtime()
        end
      elseif handlers[event[1]] then
        for i = 2, #event do
          handlers[event[1]](unpack(event[i]))
        end
      end
    end
  end

  -- Windows and buffers come as types of their own, and nobody here asks which.
  local function number()
    return 0
  end
  local read = vim.mpack.Unpacker({ ext = { [0] = number, [1] = number, [2] = number } })
  local function take(data)
    local at = 1
    while at <= #data do
      local message
      message, at = read(data, at)
      if message and message[1] == 2 and message[2] == 'redraw' then
        redraw(message[3])
      elseif message and message[1] == 1 then
        replies[message[2]] = { err = message[3], result = message[4] }
      end
    end
  end

  local function send(kind, method, ...)
    asked = asked + 1
    local message = kind == 0 and { 0, asked, method, { ... } } or { 2, method, { ... } }
    pipe:write(vim.mpack.encode(message))
    return asked
  end

  local function ask(method, ...)
    local id = send(0, method, ...)
    child_of.wait_for(function()
      return replies[id] or over
    end, 10000, method)
    local reply = replies[id]
    replies[id] = nil
    assert(reply, over)
    assert(reply.err == nil or reply.err == vim.NIL, vim.inspect(reply.err))
    return reply.result
  end

  -- A name of its own: the path of a socket may have 107 bytes.
  local address = child.lua('return vim.fn.serverstart(vim.fn.tempname())')
  local connected
  pipe:connect(address, function(problem)
    connected, over = problem == nil, problem
  end)
  child_of.wait_for(function()
    return connected ~= nil
  end, 5000, 'the connection to ' .. address)
  assert(connected, over)
  pipe:read_start(function(problem, data)
    if data then
      take(data)
    else
      over = problem or 'the child closed the connection'
    end
  end)
  ask('nvim_ui_attach', columns or 100, lines or 30, { rgb = true, ext_linegrid = true })
  -- The answer may come before the first picture, which brings the default colours.
  child_of.wait_for(function()
    return ui.flushes > 0 or over
  end, 10000, 'the first picture')
  assert(ui.flushes > 0, over)

  --- The text of a row, without the spaces at its end.
  function ui.line(row)
    local cells = {}
    for column, cell in ipairs(ui.rows[row] or {}) do
      cells[column] = cell[1]
    end
    return (table.concat(cells):gsub(' +$', ''))
  end

  --- The first row that has a text.
  function ui.find(text)
    for row = 1, ui.lines do
      if ui.line(row):find(text, 1, true) then
        return row
      end
    end
  end

  function ui.cell(row, column)
    return ui.rows[row][column]
  end

  --- Waits for a complete picture of which `condition` holds, one that is there already too.
  function ui.wait_for(condition, timeout, what)
    awaited = { condition = condition, at = condition() and vim.uv.hrtime() or nil }
    local ok, problem = pcall(child_of.wait_for, function()
      return awaited.at or over
    end, timeout or 15000, what or 'the picture')
    local at = awaited.at
    awaited = nil
    if not ok then
      local shown = {}
      for row = 1, ui.lines do
        shown[row] = ui.line(row)
      end
      error(('%s; shown is:\n%s'):format(problem, table.concat(shown, '\n')), 2)
    end
    assert(at, over)
    return at
  end

  -- What the child's main thread has computed, as Linux counts it; zero elsewhere.
  local function computed_ms()
    local file = io.open(('/proc/%d/task/%d/schedstat'):format(child.pid, child.pid))
    local nanoseconds = file and tonumber(file:read('*a'):match('^%d+')) or 0
    if file then
      file:close()
    end
    return nanoseconds / 1e6
  end

  --- Types, and gives the milliseconds until a complete picture shows what `condition` asks for, and how many of them
  --- the child's main thread computed: those are the same on a machine that has other things to do.
  function ui.press(keys, condition, timeout)
    awaited = { condition = condition }
    local before, began = computed_ms(), vim.uv.hrtime()
    send(2, 'nvim_input', keys)
    child_of.wait_for(function()
      return awaited.at or over
    end, timeout or 15000, 'a picture after ' .. keys)
    local at = awaited.at
    awaited = nil
    assert(at, over)
    return (at - began) / 1e6, computed_ms() - before
  end

  function ui.type(keys)
    send(2, 'nvim_input', keys)
  end

  function ui.close()
    if not pipe:is_closing() then
      pipe:close()
    end
  end

  return ui
end

return M
