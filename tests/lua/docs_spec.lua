-- The help: current, complete, narrow enough, and with tags that :helptags takes.
local Child = require('tests.child')

local root = vim.env.HIMALAYA_ROOT
local lines = vim.fn.readfile(root .. '/doc/himalaya.txt')
local text = table.concat(lines, '\n')

describe('the help', function()
  it('is what the tables say', function()
    local done = vim
      .system({ root .. '/scripts/docs', '--check' }, {
        text = true,
        env = { HIMALAYA_NVIM = vim.env.HIMALAYA_NVIM or vim.v.progpath },
      })
      :wait(Child.limit(20000))
    assert.equal(0, done.code, done.stderr)
  end)

  it('is at most 78 columns wide', function()
    for number, line in ipairs(lines) do
      assert.is_true(vim.fn.strdisplaywidth(line) <= 78, ('%d: %s'):format(number, line))
    end
  end)

  it('has each tag once, and every link leads somewhere', function()
    local folder = vim.fn.tempname()
    vim.fn.mkdir(folder .. '/doc', 'p')
    vim.fn.writefile(lines, folder .. '/doc/himalaya.txt')
    vim.cmd.helptags(folder .. '/doc')
    local tags = {}
    for _, line in ipairs(vim.fn.readfile(folder .. '/doc/tags')) do
      tags[line:match('^[^\t]+')] = true
    end
    for _, name in ipairs({
      'himalaya',
      'himalaya-options',
      ':HimalayaLog',
      'himalaya.setup()',
      'HimalayaNewMail',
    }) do
      assert.is_true(tags[name], name)
    end
    -- Code may be broken between two lines, and `|` stands between types there.
    for link in text:gsub('`[^`\n]+\n?[^`\n]*`', ''):gmatch('|([^|%s]+)|') do
      assert.is_true(tags[link] or #vim.fn.getcompletion(link, 'help') > 0, link)
    end
  end)

  it('names every option, command, key, event and error code', function()
    local function has(word)
      assert.is_truthy(text:find(word, 1, true), word)
    end
    for _, option in ipairs(require('himalaya.config.schema').options()) do
      has((option.path:gsub('^accounts%.%*', 'accounts.<name>'):gsub('%.%*.*$', '.<')))
    end
    for _, command in ipairs(require('himalaya.commands').table) do
      has('*:' .. command.name .. '*')
    end
    for _, plug in ipairs(require('himalaya.keymaps').plugs) do
      has('*' .. plug.plug .. '*')
    end
    for _, view in ipairs(require('himalaya.keymaps').views) do
      for _, key in ipairs(view.keys) do
        has(('*<Plug>(himalaya-%s-%s)*'):format(view.name, key.action))
      end
    end
    for _, group in ipairs(require('himalaya.ui.highlights').table) do
      has('*hl-' .. group.name .. '*')
    end
    for _, class in ipairs({ 'Folder', 'Listing', 'Item', 'Message', 'SyncResult', 'SyncStatus' }) do
      has('*himalaya.' .. class .. '*')
    end
    for _, term in ipairs({ 'from:', 'is:answered', 'has:attachment', 'before:2024' }) do
      has(term)
    end
    for _, event in ipairs(require('himalaya.events').table) do
      has('*' .. event.name .. '*')
    end
    for _, code in ipairs(require('himalaya.errors').codes) do
      has('  ' .. code[1])
    end
    for _, row in ipairs(require('himalaya.keymaps').plugs) do
      has(row.plug)
    end
  end)

  it('differs when a table does', function()
    local folder = vim.fn.tempname()
    vim.fn.mkdir(folder, 'p')
    for _, name in ipairs({ 'lua', 'scripts', 'doc', 'plugin' }) do
      vim.system({ 'cp', '-r', root .. '/' .. name, folder }):wait()
    end
    local path = folder .. '/lua/himalaya/events.lua'
    local changed = table.concat(vim.fn.readfile(path), '\n'):gsub('A sync began%.', 'A sync has begun.')
    vim.fn.writefile(vim.split(changed, '\n'), path)
    local function docs(...)
      return vim
        .system({ folder .. '/scripts/docs', ... }, {
          text = true,
          env = { HIMALAYA_NVIM = vim.env.HIMALAYA_NVIM or vim.v.progpath },
        })
        :wait(Child.limit(20000))
    end
    local done = docs('--check')
    assert.equal(1, done.code)
    assert.matches('doc/himalaya.txt not current: run scripts/docs', done.stderr)
    assert.equal(0, docs().code)
    assert.equal(0, docs('--check').code)
  end)
end)
