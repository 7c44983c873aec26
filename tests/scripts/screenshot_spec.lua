-- The pictures of the README are made from the real thing, and what makes them works.
-- needs dovecot
local Child = require('tests.child')
local svg = require('scripts.svg')
local ui_of = require('tests.ui')

local root = vim.env.HIMALAYA_ROOT
local limit = Child.limit

local function read(path)
  local file = assert(io.open(path))
  local text = file:read('*a')
  file:close()
  return text
end

--- Raises what a strict reader of XML has against it.
local function check(path)
  local done = vim
    .system({ 'python3', '-c', 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])', path }, { text = true })
    :wait()
  assert(done.code == 0, done.stderr)
end

describe('a picture', function()
  after_each(Child.stop_all)

  it('has the text, the colours and the widths of the cells', function()
    local child = Child.start()
    local ui = ui_of.attach(child, 40, 6)
    child.lua(function()
      vim.o.termguicolors = true
      vim.api.nvim_set_hl(0, 'Mark', { fg = 0x112233, bg = 0x445566, bold = true })
      vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'a <b> & "c"', '図書館 here' })
      vim.api.nvim_buf_set_extmark(
        0,
        vim.api.nvim_create_namespace('t'),
        0,
        2,
        { end_col = 5, hl_group = 'Mark' }
      )
    end)
    ui.wait_for(function()
      return ui.find('図') and ui.find('a <b>')
    end)
    local text = svg.render(ui, 'a <title>')
    assert.matches('<title>a &lt;title&gt;</title>', text, 1, true)
    assert.matches(
      'x="26" y="23" textLength="24" lengthAdjust="spacingAndGlyphs" fill="#112233"',
      text,
      1,
      true
    )
    assert.matches(' font-weight="bold">&lt;b&gt;</text>', text, 1, true)
    assert.matches('<rect x="26" y="10" width="24" height="17" fill="#445566"/>', text, 1, true)
    -- A wide letter by itself, two cells wide.
    assert.matches('textLength="16"[^>]*>図</text>', text)
    local path = vim.fn.tempname()
    vim.fn.writefile(vim.split(text, '\n'), path)
    check(path)
    ui.close()
  end)

  it('is made of the demo by the script, as those that are here were', function()
    local folder = vim.fn.tempname()
    vim.fn.mkdir(folder)
    local nvim = vim.env.HIMALAYA_NVIM or vim.v.progpath
    local done = vim
      .system({ nvim, '-u', 'NONE', '-i', 'NONE', '-l', 'scripts/screenshot.lua', folder }, {
        cwd = root,
        text = true,
        env = { TZ = 'UTC' },
      })
      :wait(limit(120000))
    assert(done.code == 0, done.stdout .. done.stderr)
    for _, name in ipairs({ 'screenshot-dark.svg', 'screenshot-light.svg' }) do
      for _, path in ipairs({ folder .. '/' .. name, root .. '/doc/' .. name }) do
        check(path)
        local text = read(path)
        for _, words in ipairs({ 'Himalaya - home@example.org - INBOX', '[x]', 'Opening hours', 'Subject:' }) do
          assert.matches(words, text, 1, true)
        end
      end
    end
    assert.not_equal(read(folder .. '/screenshot-dark.svg'), read(folder .. '/screenshot-light.svg'))
  end)
end)
