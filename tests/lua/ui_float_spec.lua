-- Windows over the others: what does not fit is said, and they stay on the screen whatever becomes of its size.
local Child = require('tests.child')

after_each(Child.stop_all)

--- The float's place and what its frame says.
local SHOWN = [[
  local window = vim.api.nvim_get_current_win()
  local config = vim.api.nvim_win_get_config(window)
  return {
    footer = config.footer and config.footer[1] and config.footer[1][1] or '',
    height = config.height, width = config.width, row = config.row, col = config.col,
    lines = vim.api.nvim_buf_line_count(0), last = vim.fn.line('w$'),
    screen = { vim.o.columns, vim.o.lines },
  }
]]

local function open(columns, lines)
  local child = Child.start({ setup = {} })
  child.resize(columns, lines)
  child.lua([[require('himalaya.ui.help').open('list')]])
  return child
end

describe('the window of the keys', function()
  it('says how many lines are below, until there are none', function()
    local child = open(80, 24)
    local shown = child.lua(SHOWN)
    assert.is_true(shown.lines > 24)
    assert.equal((' %d more below '):format(shown.lines - shown.last), shown.footer)
    child.type('<C-d>')
    child.wait_for(function()
      local now = child.lua(SHOWN)
      return now.last > shown.last and now.footer == (' %d more below '):format(now.lines - now.last)
        or now.footer == ' the end '
    end)
    child.type('G')
    child.wait_for(function()
      return child.lua(SHOWN).footer == ' the end '
    end)
    child.type('q')
    child.wait_for('return vim.bo.filetype == ""')
  end)

  it('says nothing where all of them are there', function()
    local child = open(120, 60)
    local shown = child.lua(SHOWN)
    assert.equal(shown.lines, shown.height)
    assert.equal('', shown.footer)
  end)

  it('stays inside a screen of any size, and follows it', function()
    local child = open(20, 6)
    for _, size in ipairs({ { 20, 6 }, { 40, 10 }, { 200, 60 }, { 12, 4 }, { 80, 24 } }) do
      child.resize(size[1], size[2])
      child.wait_for(function()
        local now = child.lua(SHOWN)
        -- With its frame.
        return vim.deep_equal(now.screen, size)
          and now.width + 2 <= size[1]
          and now.col + now.width + 2 <= size[1]
          and now.row + now.height + 2 <= size[2]
      end, 5000, ('a frame inside %d x %d'):format(size[1], size[2]))
    end
    child.type('<Esc>')
    child.wait_for('return vim.bo.filetype == ""')
    child.resize(60, 20)
    assert.equal(1, child.lua('return #vim.api.nvim_list_wins()'))
  end)

  it('closes when its tab page is left', function()
    local child = open(80, 24)
    child.lua(function()
      vim.cmd.wincmd('p')
      vim.cmd.edit('left')
      vim.cmd.wincmd('p')
      vim.cmd.tabnew()
      _G.floats = vim.tbl_filter(function(window)
        return vim.api.nvim_win_get_config(window).relative ~= ''
      end, vim.api.nvim_list_wins())
      vim.cmd.bwipeout('left')
    end)
    assert.same({}, child.lua('return floats'))
    assert.equal(1, child.lua('return #vim.api.nvim_list_tabpages()'))
  end)
end)
