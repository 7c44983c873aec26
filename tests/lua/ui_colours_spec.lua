-- Our groups on a light and on a dark background: linked to standard ones, readable on both, and changed with them.
local Child = require('tests.child')
local ui_of = require('tests.ui')

-- What is no text: lines, bars, marks of a cell.
local DECORATION = { HimalayaThread = true, HimalayaBarLeft = true, HimalayaSelected = true }

--- What a person sees of a group: `fg` and `bg` as numbers.
local function look(child, background)
  return child.lua(function(how)
    vim.o.termguicolors = true
    vim.o.background = how
    local highlights = require('himalaya.ui.highlights')
    highlights.ready()
    local normal = vim.api.nvim_get_hl(0, { name = 'Normal', link = false })
    local seen = {}
    for _, row in ipairs(highlights.table) do
      local found = vim.api.nvim_get_hl(0, { name = row.name, link = false })
      local fg, bg = found.fg or normal.fg, found.bg or normal.bg
      if found.reverse then
        fg, bg = bg, fg
      end
      seen[row.name] = { fg = fg, bg = bg, link = vim.api.nvim_get_hl(0, { name = row.name }).link or '' }
    end
    return seen
  end, background)
end

local function brightness(colour)
  local sum = 0
  for shift, weight in pairs({ [16] = 0.2126, [8] = 0.7152, [0] = 0.0722 }) do
    local part = math.floor(colour / 2 ^ shift) % 256 / 255
    part = part <= 0.03928 and part / 12.92 or ((part + 0.055) / 1.055) ^ 2.4
    sum = sum + weight * part
  end
  return sum
end

-- As the web's guidelines for reading count it: 1 is nothing, 21 is black on white.
local function contrast(one, other)
  local a, b = brightness(one), brightness(other)
  return (math.max(a, b) + 0.05) / (math.min(a, b) + 0.05)
end

describe('our colours', function()
  local child

  before_each(function()
    child = Child.start()
  end)
  after_each(Child.stop_all)

  for _, background in ipairs({ 'light', 'dark' }) do
    it(('can be read on a %s background'):format(background), function()
      local poor = {}
      for name, seen in pairs(look(child, background)) do
        local ratio = contrast(seen.fg, seen.bg)
        -- Neovim's own cyan has 4.4 on a light background.
        if ratio < (DECORATION[name] and 1.8 or 4.3) then
          poor[#poor + 1] = ('%s %.1f'):format(name, ratio)
        end
      end
      assert.same({}, poor)
    end)
  end

  it('follow when the background is switched, and are those of standard groups', function()
    local dark, light = look(child, 'dark'), look(child, 'light')
    local same = 0
    for name, seen in pairs(dark) do
      same = same + (seen.fg == light[name].fg and 1 or 0)
      assert.equal(light[name].link, seen.link)
      if name ~= 'HimalayaUnread' then
        assert.does_not.match('^Himalaya', seen.link)
        assert.not_equal('', seen.link)
      end
    end
    assert.equal(0, same)
  end)

  it('of cells on the screen are those of the groups, on both', function()
    local ui = ui_of.attach(child, 60, 10)
    child.lua(function()
      vim.o.termguicolors = true
      require('himalaya.ui.highlights').ready()
      local row = require('himalaya.ui.format').row({
        id = 1,
        subject = 'Opening hours',
        from = { name = 'Reading room' },
        date = os.time(),
        size = 2000,
        flags = { seen = false, flagged = true },
      }, require('himalaya.ui.columns').of(60), {})
      require('himalaya.ui.paint').paint(0, {}, { row })
    end)
    for _, background in ipairs({ 'light', 'dark', 'light' }) do
      local groups = look(child, background)
      ui.wait_for(function()
        local column = ui.line(1):find('Reading')
        if not column then
          return false
        end
        local cell = ui.colours[ui.cell(1, column)[2]] or {}
        return (cell.foreground or ui.default.foreground) == groups.HimalayaFrom.fg
          and ui.default.background == groups.HimalayaFrom.bg
      end)
    end
    ui.close()
  end)

  it('are each shown somewhere', function()
    local drawn = ''
    for _, path in ipairs(vim.fn.globpath(vim.env.HIMALAYA_ROOT .. '/lua/himalaya', '**/*.lua', true, true)) do
      drawn = drawn .. table.concat(vim.fn.readfile(path), '\n')
    end
    for _, row in ipairs(require('himalaya.ui.highlights').table) do
      assert.is_truthy(drawn:find("'" .. row.name .. "'", 1, true), row.name)
    end
  end)

  it('of a user stay', function()
    local kept = child.lua(function()
      vim.api.nvim_set_hl(0, 'HimalayaFrom', { fg = 0x123456 })
      require('himalaya.ui.highlights').ready()
      vim.o.background = 'light'
      vim.cmd.colorscheme('default')
      vim.api.nvim_set_hl(0, 'HimalayaDate', { fg = 0x654321 })
      vim.api.nvim_exec_autocmds('ColorScheme', {})
      return vim.api.nvim_get_hl(0, { name = 'HimalayaDate' }).fg
    end)
    assert.equal(0x654321, kept)
  end)
end)
