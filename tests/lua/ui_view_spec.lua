-- The frame of every view, choosing, and HTML by the real w3m.
local Child = require('tests.child')
local view = require('himalaya.ui.view')

local function rows(...)
  local list = {}
  for i, word in ipairs({ ... }) do
    list[i] = { key = word, text = word, spans = {} }
  end
  return list
end

local HANDLERS = { close = function() end }

describe('a view', function()
  local buffer

  before_each(function()
    buffer = vim.api.nvim_create_buf(false, false)
    vim.api.nvim_buf_set_name(buffer, 'himalaya://home/INBOX' .. buffer)
  end)

  after_each(function()
    if vim.api.nvim_buf_is_valid(buffer) then
      vim.api.nvim_buf_delete(buffer, { force = true })
    end
  end)

  it('is a buffer that is kept by sessions, cannot be edited and has its filetype', function()
    local made = view.attach(buffer, { name = 'log', handlers = HANDLERS })
    assert.equal(2, made:set(rows('one', 'two')))
    assert.equal('nowrite', vim.bo[buffer].buftype)
    assert.equal('himalaya-log', vim.bo[buffer].filetype)
    assert.is_false(vim.bo[buffer].modifiable)
    assert.is_false(vim.bo[buffer].modified)
    assert.equal(made, view.of(buffer))
    assert.equal('two', made:rows(2, 1)[2].key)
  end)

  it('dresses every window that shows it and leaves the others alone', function()
    local made = view.attach(buffer, { name = 'log', handlers = HANDLERS, window = { winfixwidth = true } })
    made:set(rows('one', 'two'))
    vim.wo.number = true
    vim.cmd.split()
    local window = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(window, buffer)
    assert.is_false(vim.wo.number)
    assert.is_true(vim.wo.winfixwidth)
    assert.equal('one', made:row().key)
    vim.api.nvim_win_set_buf(window, vim.api.nvim_create_buf(true, true))
    assert.is_true(vim.wo.number)
    vim.cmd('silent! only')
    vim.wo.number = false
  end)

  it('keeps the place of a window in another tab page, and looks so when that is entered', function()
    local made = view.attach(buffer, { name = 'log', handlers = HANDLERS })
    local function numbered(first, last)
      local words = {}
      for number = first, last do
        words[#words + 1] = tostring(number)
      end
      return rows(unpack(words))
    end
    made:set(numbered(100, 400))
    vim.api.nvim_win_set_buf(0, buffer)
    vim.fn.winrestview({ lnum = 150, topline = 140 })
    local there = vim.api.nvim_get_current_win()
    vim.cmd.tabnew()
    local here = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(here, buffer)
    vim.fn.winrestview({ lnum = 20, topline = 10 })
    -- Not line('w0'): Neovim 0.10 scrolls for that where nothing was drawn yet.
    local function place()
      local seen = vim.fn.winsaveview()
      return { seen.lnum, seen.topline }
    end
    local word = vim.api.nvim_buf_get_lines(buffer, 149, 150, false)[1]
    for first = 99, 90, -1 do
      made:set(numbered(first, 400 + first))
    end
    assert.equal(here, vim.api.nvim_get_current_win())
    assert.equal(word, made:row(there).key)
    assert.same({ 30, 20 }, place())
    vim.cmd.tabprevious()
    assert.same({ 160, 150 }, place())
    assert.equal(word, vim.api.nvim_get_current_line())
    -- What is shown there now begins where it did.
    vim.cmd.tabnext()
    made:set(numbered(80, 400))
    vim.api.nvim_win_set_buf(there, vim.api.nvim_create_buf(true, true))
    vim.cmd.tabprevious()
    assert.same({ 1, 1 }, place())
    vim.cmd('silent! tabonly')
  end)

  it('is over once its buffer is gone, also in the middle of an update', function()
    local closed = 0
    local made = view.attach(buffer, {
      name = 'log',
      handlers = HANDLERS,
      on_close = function()
        closed = closed + 1
      end,
    })
    made:set(rows('one'))
    vim.cmd.bwipeout(buffer)
    assert.equal(1, closed)
    assert.is_true(made.over)
    assert.is_nil(made:set(rows('two')))
    assert.is_nil(view.of(buffer))
  end)

  it('that is attached again ends the one before', function()
    local first = view.attach(buffer, { name = 'log', handlers = HANDLERS })
    first:set(rows('one'))
    local second = view.attach(buffer, { name = 'log', handlers = HANDLERS })
    assert.equal(1, second:set(rows('two')))
    assert.is_nil(first:set(rows('three')))
    assert.same({ 'two' }, vim.api.nvim_buf_get_lines(buffer, 0, -1, false))
  end)

  it('may be made ten times over', function()
    local child = Child.start()
    local left = child.lua(function()
      local views = require('himalaya.ui.view')
      for i = 1, 10 do
        vim.cmd.tabnew('himalaya://home/folder' .. i)
        local made = views.attach(
          vim.api.nvim_get_current_buf(),
          { name = 'log', handlers = { close = function() end } }
        )
        made:set({ { key = 1, text = 'row', spans = {} } })
      end
      vim.cmd('silent! tabonly | %bwipeout!')
      return #vim.api.nvim_get_autocmds({ event = 'BufUnload' })
    end)
    assert.equal(0, left)
    assert.equal('', child.lua('return vim.v.errmsg'))
    child.stop()
  end)
end)

describe('choosing', function()
  local picker = require('himalaya.ui.picker')
  local real = vim.ui.select

  after_each(function()
    vim.ui.select = real
  end)

  it('goes through vim.ui.select with cleaned words', function()
    local got, chosen
    vim.ui.select = function(items, opts, on_choice)
      got = { opts.prompt, opts.kind, opts.format_item(items[2]) }
      on_choice(items[2], 2)
    end
    picker.pick({ { name = 'a' }, { name = 'b\27[31m\nc' } }, {
      prompt = 'Folder',
      kind = 'folder',
      show = function(item)
        return item.name
      end,
    }, function(item)
      chosen = item
    end)
    assert.same({ 'Folder', 'himalaya.folder', 'b c' }, got)
    assert.equal('b\27[31m\nc', chosen.name)
  end)

  it('of nothing, or nothing chosen, calls nobody', function()
    vim.ui.select = function(_, _, on_choice)
      on_choice(nil)
    end
    local called = false
    picker.pick({ 'a' }, { prompt = 'Account', kind = 'account' }, function()
      called = true
    end)
    assert.is_false(called)
  end)
end)

describe('HTML', function()
  local function render(html, columns, options)
    local child = Child.start({ setup = options or {} })
    local err, text = child.await(function(done, page, width)
      require('himalaya.ui.html').render(page, width, done)
    end, html, columns)
    child.stop()
    return err, text
  end

  it('is text by w3m, in any language, as wide as asked', function()
    if vim.fn.executable('w3m') == 0 then
      pending('w3m is not installed')
      return
    end
    local err, text = render(
      '<h1>Grüße</h1><p>' .. ('日本語 words '):rep(30) .. '<a href="http://example.org/x">link</a>',
      40
    )
    assert.is_nil(err)
    assert.matches('Grüße', text)
    assert.matches('http://example.org/x', text, 1, true)
    for line in text:gmatch('[^\n]+') do
      assert.is_true(vim.fn.strdisplaywidth(line) <= 40, line)
    end
  end)

  it('fetches nothing', function()
    if vim.fn.executable('w3m') == 0 then
      pending('w3m is not installed')
      return
    end
    local server, visits = assert(vim.uv.new_tcp()), 0
    server:bind('127.0.0.1', 0)
    server:listen(8, function()
      visits = visits + 1
      local peer = vim.uv.new_tcp()
      server:accept(peer)
      peer:close()
    end)
    local home = ('http://127.0.0.1:%d/'):format(server:getsockname().port)
    local page = ([[<html><head><meta http-equiv="refresh" content="0; url=%s1"><link rel="stylesheet" href="%s2">
      <base href="%s"></head><body background="%s3"><img src="%s4" width=1><iframe src="%s5"></iframe>
      <object data="%s6"></object><script src="%s7"></script>seen</body>
      <frameset><frame src="%s8"></frameset></html>]]):gsub('%%s', home)
    local err, text = render(page, 80)
    assert.is_nil(err)
    assert.matches('seen', text)
    assert.equal(0, visits)
    server:close()
  end)

  it('without w3m is said to be unsupported', function()
    local err = render('<p>x', 80, { binaries = { w3m = 'no-such-w3m' } })
    assert.equal('unsupported', err.code)
    assert.matches('binaries.w3m', err.hint, 1, true)
  end)
end)
