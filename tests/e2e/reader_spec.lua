-- needs dovecot
-- What the keys of a message do: links, attachments, folds, HTML with and without w3m.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')

local dovecot ---@type table
local nvim ---@type table

local function start(opts)
  nvim = screens.start(dovecot, opts)
  nvim.open()
  nvim.sync()
  -- What would start a browser tells what it was given.
  nvim.lua(function()
    _G.opened = {}
    vim.ui.open = function(what)
      table.insert(_G.opened, what)
      return {}
    end
  end)
end

local function read(subject)
  nvim.wait_for_filetype('list')
  nvim.search(subject)
  nvim.type('<CR>')
  nvim.wait_for_filetype('message')
  nvim.wait_for_text('Subject: ' .. subject)
end

local function opened()
  return nvim.lua('return _G.opened')
end

local function choose(words)
  nvim.lua(function(wanted)
    vim.ui.select = function(items, opts, done)
      _G.offered = vim.tbl_map(opts.format_item, items)
      for i, item in ipairs(items) do
        if _G.offered[i]:find(wanted, 1, true) then
          return done(item, i)
        end
      end
      done(nil)
    end
  end, words)
end

describe('a message', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 0 })
    screens.deliver(dovecot, {
      subject = 'links',
      body = 'See https://example.org/a, or (https://example.org/b).\nWrite to mailto:desk@example.org\n'
        .. 'not javascript:alert(1) nor file:///etc/passwd',
    })
    screens.deliver(dovecot, {
      subject = 'quotes',
      headers = 'X-One: 1\nX-Two: 2',
      body = 'before\n' .. ('> quoted\n'):rep(8) .. 'after\n-- \nsignature',
    })
    screens.deliver(dovecot, {
      subject = 'files',
      headers = 'Content-Type: multipart/mixed; boundary=b',
      body = '--b\nContent-Type: text/plain\n\nsee the files\n'
        .. '--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename="../../.hours.csv"\n\nday;from\n'
        .. '--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=picture.png\n\nnone\n--b--',
    })
    screens.deliver(dovecot, {
      subject = 'a page',
      headers = 'Content-Type: text/html; charset=utf-8',
      body = '<h1>Opening</h1><p>The <b>reading</b> room opens at nine.</p><script>x</script>'
        .. '<a href="https://example.org/page">more</a><img src="http://127.0.0.1:1/pixel">',
    })
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  it('opens its links, and nothing else', function()
    start()
    read('links')
    nvim.search('example.org/b')
    nvim.type('<CR>')
    nvim.wait_for(function()
      return vim.deep_equal(opened(), { 'https://example.org/b' })
    end)
    nvim.search('mailto')
    nvim.type('gx')
    nvim.wait_for(function()
      return opened()[2] == 'mailto:desk@example.org'
    end)
    nvim.search('passwd')
    nvim.type('<CR>')
    choose('/a')
    nvim.type('gl')
    nvim.wait_for(function()
      return opened()[3] == 'https://example.org/a'
    end)
    assert.same(
      { 'https://example.org/a', 'https://example.org/b', 'mailto:desk@example.org' },
      nvim.lua('return _G.offered')
    )
    assert.equal(3, #opened())
  end)

  it('folds its headers and what it quotes', function()
    start()
    read('quotes')
    nvim.wait_for_text('▸ 8 quoted lines')
    nvim.wait_for_text('more headers')
    nvim.search('^> quoted')
    nvim.type('<CR>')
    nvim.wait_for(function()
      return not nvim.shows('quoted lines')
    end)
    nvim.type('<Tab>')
    nvim.wait_for_text('▸ 8 quoted lines')
    nvim.type('gg<Tab>')
    nvim.wait_for_text('X-Two: 2')
    nvim.type('<Tab>')
    nvim.wait_for(function()
      return not nvim.shows('X-Two: 2')
    end)
    -- A second window has the folds too.
    nvim.type(':tab split<CR>')
    nvim.wait_for_text('▸ 8 quoted lines')
    nvim.type(':tabclose<CR>:new<CR>:buffer #<CR>')
    nvim.wait_for_text('▸ 8 quoted lines')
  end)

  it('saves and opens its attachments under names of their own', function()
    start()
    read('files')
    nvim.wait_for_text('@ ')
    nvim.lua(function()
      vim.ui.input = function(opts, done)
        _G.proposed = opts.default
        done(nil)
      end
    end)
    nvim.search('^@ ')
    nvim.type('<CR>')
    nvim.wait_for('return _G.proposed ~= nil')
    local proposed = nvim.lua('return _G.proposed')
    assert.equal(nvim.lua('return vim.fn.getcwd()'), vim.fs.dirname(proposed))
    assert.is_nil(vim.fs.basename(proposed):find('^%.'))
    -- A folder with a slash is where it goes; one that is not there does not become a file of that name.
    nvim.lua(function()
      vim.ui.input = function(_, done)
        done(_G.answer)
      end
    end)
    for _, where in ipairs({ { '/home/', 'Saved to ' }, { '/missing/', 'The attachment was not saved' } }) do
      nvim.cmd('messages clear')
      nvim.lua('_G.answer = ...', nvim.dir .. where[1])
      nvim.type('<CR>')
      nvim.wait_for_message(where[2])
    end
    assert.equal(1, vim.fn.filereadable(nvim.dir .. '/home/' .. vim.fs.basename(proposed)))
    assert.is_nil(vim.uv.fs_stat(nvim.dir .. '/missing'))
    nvim.type('o')
    nvim.wait_for(function()
      return #opened() == 1
    end)
    assert.matches('hours%.csv$', opened()[1])
    assert.same({ 'day;from' }, vim.fn.readfile(opened()[1]))
    assert.equal('rw-------', vim.fn.getfperm(opened()[1]))
    -- Anywhere else it is asked which.
    choose('picture')
    nvim.type('Go')
    nvim.wait_for(function()
      return #opened() == 2
    end)
    assert.matches('picture%.png$', opened()[2])
    assert.equal(2, #nvim.lua('return _G.offered'))
    nvim.stop()
    assert.equal(0, vim.fn.filereadable(nvim.dir .. '/gone'))
  end)

  it('keeps the attachment that is chosen late, whatever the preview shows by then', function()
    start()
    nvim.search('files')
    nvim.type('P')
    nvim.wait_for_text('Subject: files')
    nvim.wait_for_text('see the files')
    nvim.lua(function()
      vim.ui.select = function(items, _, done)
        _G.choose = function()
          done(items[1], 1)
        end
      end
    end)
    nvim.type('<CR>')
    nvim.wait_for_filetype('message')
    nvim.type('Go')
    nvim.wait_for('return _G.choose ~= nil')
    nvim.type('<Esc>')
    nvim.wait_for_filetype('list')
    nvim.search('quotes')
    nvim.wait_for_text('Subject: quotes')
    nvim.lua('_G.choose()')
    nvim.wait_for(function()
      return #opened() == 1
    end)
    assert.same({ 'day;from' }, vim.fn.readfile(opened()[1]))
  end)

  it('is shown by our own rendering where there is no w3m, which is said', function()
    start({ setup = { binaries = { w3m = 'no-such-program' } } })
    read('a page')
    nvim.wait_for_text('HTML, shown by a plain rendering of our own.')
    nvim.wait_for_text('The reading room opens at nine.')
    assert.is_false(nvim.shows('<b>'))
    child.stop_all()
    if vim.fn.executable('w3m') == 1 then
      start()
      read('a page')
      nvim.wait_for_text('HTML, shown by w3m.')
      nvim.wait_for_text('The reading room opens at nine.')
      nvim.wait_for_text('https://example.org/page')
      nvim.search('example.org/page')
      nvim.type('gx')
      nvim.wait_for(function()
        return opened()[1] == 'https://example.org/page'
      end)
    end
  end)

  it('shows text of any length and attachments, and goes on after a deletion', function()
    screens.deliver(
      dovecot,
      { subject = 'very long', body = ('a line of a long text\n'):rep(100000) .. 'the end of it\n' }
    )
    screens.deliver(dovecot, {
      subject = 'with a file',
      headers = 'Content-Type: multipart/mixed; boundary=b',
      body = '--b\nContent-Type: text/plain\n\nsee the file\n--b\nContent-Type: text/csv; name=hours.csv\n'
        .. 'Content-Disposition: attachment; filename=hours.csv\n\nday;from;to\n--b--\n',
    })
    start()
    read('very long')
    nvim.wait_for_text('a line of a long text')
    assert.is_true(nvim.lua('return vim.fn.line("$")') < 5000)
    nvim.wait_for(function()
      nvim.type('G')
      return nvim.shows('the end of it')
    end, 30000)
    assert.is_true(nvim.lua('return vim.fn.line("$")') > 100000)
    nvim.type('q')
    read('with a file')
    nvim.wait_for_text('@ hours.csv')
    local path = nvim.dir .. '/saved.csv'
    nvim.lua(function(wanted)
      vim.ui.input = function(_, done)
        done(wanted)
      end
    end, path)
    nvim.search('^@ hours.csv')
    nvim.type('<CR>')
    nvim.wait_for_message('Saved to')
    assert.equal('day;from;to', vim.fn.readfile(path)[1])
    nvim.type('d')
    nvim.wait_for_message('Deleted 1 message')
    nvim.wait_for('return vim.bo.filetype == "himalaya-list"')
    nvim.wait_for(function()
      return not nvim.shows('with a file')
    end)
    assert.equal('', nvim.lua('return vim.v.errmsg'))
  end)
end)
