-- What a view is made of: rows painted with as few changes as there are, the tree of folders, a message as lines.
local Child = require('tests.child')
local message = require('himalaya.ui.message')
local paint = require('himalaya.ui.paint')
local tree = require('himalaya.ui.tree')

local function rows(...)
  local list = {}
  for i, word in ipairs({ ... }) do
    list[i] = { key = word:match('%a+'), text = word, spans = { { 0, #word, 'HimalayaRead' } } }
  end
  return list
end

local function lines(buffer)
  return vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
end

describe('painting', function()
  local buffer

  before_each(function()
    buffer = vim.api.nvim_create_buf(false, true)
    vim.bo[buffer].modifiable = false
  end)

  local function marks()
    return #vim.api.nvim_buf_get_extmarks(buffer, paint.namespace, 0, -1, {})
  end

  it('sets one line for one change', function()
    local first = {}
    for i = 1, 50 do
      first[i] = { key = i, text = 'row ' .. i, spans = { { 0, 3, 'HimalayaRead' } } }
    end
    assert.equal(50, paint.paint(buffer, {}, first))
    local second = vim.deepcopy(first)
    second[17] = { key = 17, text = 'row 17 is read', spans = { { 0, 3, 'HimalayaUnread' } } }
    assert.equal(1, paint.paint(buffer, first, second))
    local best = math.huge
    for i = 1, 10 do
      local began = vim.uv.hrtime()
      paint.paint(buffer, i % 2 == 1 and second or first, i % 2 == 1 and first or second)
      best = math.min(best, (vim.uv.hrtime() - began) / 1e6)
    end
    assert.is_true(best < Child.limit(1), best)
    assert.equal('row 17 is read', lines(buffer)[17])
    assert.equal(50, marks())
    assert.equal(0, paint.paint(buffer, second, vim.deepcopy(second)))
    assert.is_false(vim.bo[buffer].modifiable)
    assert.is_false(vim.bo[buffer].modified)
  end)

  it('sets no line where only a colour changed', function()
    local a, b = rows('one', 'two'), rows('one', 'two')
    b[2].spans[1][3] = 'HimalayaUnread'
    paint.paint(buffer, {}, a)
    assert.equal(0, paint.paint(buffer, a, b))
    local found = vim.api.nvim_buf_get_extmarks(
      buffer,
      paint.namespace,
      { 1, 0 },
      { 1, -1 },
      { details = true }
    )
    assert.equal('HimalayaUnread', found[1][4].hl_group)
    assert.equal(2, marks())
  end)

  it('ends with the rows given, whatever was there', function()
    math.randomseed(3)
    local shown = {}
    for _ = 1, 300 do
      local next_rows = {}
      for i = 1, math.random(0, 12) do
        local word = ('w%d'):format(math.random(1, 15))
        next_rows[i] =
          { key = word, text = word, spans = math.random() < 0.5 and { { 0, 1, 'HimalayaRead' } } or {} }
      end
      paint.paint(buffer, shown, next_rows)
      local want, coloured = {}, 0
      for i, row in ipairs(next_rows) do
        want[i] = row.text
        coloured = coloured + #row.spans
      end
      assert.same(#want > 0 and want or { '' }, lines(buffer))
      assert.equal(coloured, marks())
      shown = next_rows
    end
  end)

  it('keeps the cursor on its row in every window', function()
    vim.cmd('silent! only')
    vim.api.nvim_win_set_buf(0, buffer)
    local one = vim.api.nvim_get_current_win()
    vim.cmd.split()
    local two = vim.api.nvim_get_current_win()
    local a = rows('one', 'two', 'three', 'four')
    paint.paint(buffer, {}, a)
    vim.api.nvim_win_set_cursor(one, { 3, 2 })
    vim.api.nvim_win_set_cursor(two, { 1, 0 })
    local b = rows('zero', 'one', 'new', 'two!', 'three!', 'four')
    paint.paint(buffer, a, b)
    assert.same({ 5, 2 }, vim.api.nvim_win_get_cursor(one))
    assert.same({ 2, 0 }, vim.api.nvim_win_get_cursor(two))
    -- Its row goes: the one that took its place.
    local c = rows('zero', 'one', 'new', 'two!', 'four')
    paint.paint(buffer, b, c)
    assert.equal(5, vim.api.nvim_win_get_cursor(one)[1])
    paint.paint(buffer, c, {})
    assert.equal(1, vim.api.nvim_win_get_cursor(one)[1])
    vim.cmd('silent! only')
  end)

  it('of a buffer that is gone does nothing', function()
    vim.api.nvim_buf_delete(buffer, { force = true })
    assert.equal(0, paint.paint(buffer, {}, rows('one')))
  end)
end)

describe('the tree of folders', function()
  local function shown(folders, closed)
    local list = {}
    for i, row in ipairs(tree.rows(folders, closed or {})) do
      local sign = row.leaf and ' ' or (row.closed and '+' or '-')
      list[i] = ('%s%s%s%s'):format(
        ('  '):rep(row.depth),
        sign,
        row.name,
        row.unread and ' ' .. row.unread or ''
      )
    end
    return list
  end

  local FOLDERS = {
    { path = 'Lists/neovim/dev', unread = 2 },
    { path = 'Bin', name = 'Bin', role = 'trash' },
    { path = 'archive 2020' },
    { path = 'Lists/neovim', unread = 1 },
    { path = 'INBOX', name = 'Inbox', role = 'inbox', unread = 7 },
    { path = 'Sent', name = 'Sent', role = 'sent' },
    { path = 'Lists/mail', unread = 4 },
    { path = 'Old sent', role = 'sent' },
  }

  it('has roles first, then the rest by name, with parents that are no folders', function()
    assert.same({
      ' Inbox 7',
      ' Sent',
      ' Bin',
      ' archive 2020',
      '-Lists',
      '   mail 4',
      '  -neovim 1',
      '     dev 2',
      ' Old sent',
    }, shown(FOLDERS))
  end)

  it('closes with the sum of what is below', function()
    assert.same(
      { ' Inbox 7', ' Sent', ' Bin', ' archive 2020', '+Lists 7', ' Old sent' },
      shown(FOLDERS, { Lists = true })
    )
    assert.equal('  +neovim 3', shown(FOLDERS, { ['Lists/neovim'] = true })[7])
  end)

  it('bears any name', function()
    local names = { '//', '/', 'a//b', ('日'):rep(85), '\27[31m', '..', ' ' }
    for _, name in ipairs(names) do
      assert.is_true(#tree.rows({ { path = name } }, {}) > 0)
    end
    local deep = tree.rows({ { path = ('x/'):rep(200) .. 'y' } }, {})
    assert.equal(201, #deep)
    assert.same({}, tree.rows({}, {}))
  end)
end)

describe('a message', function()
  local function read(given, slices)
    local out, state = message.begin(given)
    local all = { lines = {}, folds = out.folds, links = out.links, parts = out.parts, spans = {} }
    local function take(more)
      for _, row in ipairs(more.rows) do
        all.lines[#all.lines + 1] = row.text
        all.spans[#all.spans + 1] = row.spans
      end
    end
    take(out)
    for i, slice in ipairs(slices) do
      local more = message.continue(state, slice, i == #slices)
      take(more)
      vim.list_extend(all.folds, more.folds)
      for line, links in pairs(more.links) do
        all.links[line] = links
      end
    end
    return all
  end

  local GIVEN = {
    headers = {
      { name = 'Received', value = 'from somewhere' },
      { name = 'Subject', value = 'Hello\r\n\27[31m there' },
      { name = 'From', value = 'Someone <someone@example.org>' },
      { name = 'X-Other', value = 'y' },
      { name = 'Date', value = 'Tue, 12 Mar 2024 14:02:00 +0100' },
    },
    attachments = {
      { name = 'plan.pdf', mime = 'application/pdf', size = 35000, part = '2' },
      { part = '3' },
    },
  }

  it('begins with the headers one reads, the rest folded, and attachments as rows', function()
    local all = read(GIVEN, { 'Hi,\nall well.\n' })
    assert.same({
      'From: Someone <someone@example.org>',
      'Date: Tue, 12 Mar 2024 14:02:00 +0100',
      'Subject: Hello there',
      'Received: from somewhere',
      'X-Other: y',
      '@ plan.pdf  application/pdf  34K',
      '@ (no name)',
      '',
      'Hi,',
      'all well.',
    }, all.lines)
    assert.same({ { first = 4, last = 5, kind = 'headers' } }, all.folds)
    assert.equal('2', all.parts[6].part)
    assert.equal('3', all.parts[7].part)
  end)

  it('has its quotes folded, its signature and links marked', function()
    local body = table.concat({
      'See https://example.org/a(b). And <mailto:x@example.org>, (http://example.com) '
        .. 'HTTPS://Example.org MailTo:y@example.org.',
      '> one',
      '>> two',
      '> > two',
      '> three',
      '>',
      'answer',
      '> short',
      '-- ',
      'Someone',
    }, '\r\n')
    local all = read({}, { body })
    assert.same({
      'https://example.org/a(b)',
      'mailto:x@example.org',
      'http://example.com',
      'HTTPS://Example.org',
      'MailTo:y@example.org',
    }, all.links[2])
    assert.same({ { first = 3, last = 7, kind = 'quote' } }, all.folds)
    assert.equal('HimalayaQuote1', all.spans[3][1][3])
    assert.equal('HimalayaQuote2', all.spans[4][1][3])
    assert.equal('HimalayaQuote2', all.spans[5][1][3])
    assert.same({}, all.spans[8])
    assert.equal('HimalayaSignature', all.spans[11][1][3])
    assert.equal('> short', all.lines[9])
  end)

  it('is the same in slices of any size', function()
    local body = ('> quoted 日本\r\n'):rep(7) .. 'https://example.org 👍🏽\n\n-- \nx'
    local whole = read(GIVEN, { body })
    for size = 1, 40 do
      local slices = {}
      for at = 1, #body, size do
        slices[#slices + 1] = body:sub(at, at + size - 1)
      end
      assert.same(whole, read(GIVEN, slices))
    end
  end)

  it('of 10,000 parts, no headers, or one endless line is shown all the same', function()
    local parts = {}
    for i = 1, 10000 do
      parts[i] = { name = 'part ' .. i, mime = 'text/plain', size = i, part = tostring(i) }
    end
    local all = read({ attachments = parts }, { '' })
    assert.equal(102, #all.lines)
    assert.equal('  and 9900 more', all.lines[101])
    assert.same({ '' }, read({}, { '' }).lines)
    local long = read({ headers = { { name = 'Subject', value = ('x'):rep(1e6) } } }, { ('y'):rep(1e6) })
    assert.is_true(#long.lines[1] < 2100)
    -- Neovim lays a line out as a whole: an endless one is several.
    assert.equal(('y'):rep(1e6), table.concat(long.lines, '', 3))
    for _, line in ipairs(long.lines) do
      assert.is_true(#line < 4100)
    end
    local words = read({}, { ('Grüße '):rep(2000), ('é'):rep(3000) })
    for _, line in ipairs(words.lines) do
      assert.is_true(#line <= 2000)
      assert.equal(line, vim.fn.iconv(line, 'utf-8', 'utf-8'))
    end
    assert.equal(('Grüße '):rep(2000) .. ('é'):rep(3000), table.concat(words.lines, '', 2))
  end)

  it('is laid out fast enough to be read in slices', function()
    local slice = ('Grüße aus Köln, und noch ein paar Worte dazu.\n> zitiert\n'):rep(600)
    local best = math.huge
    for _ = 1, 10 do
      local _, state = message.begin({})
      local began = vim.uv.hrtime()
      message.continue(state, slice, true)
      best = math.min(best, (vim.uv.hrtime() - began) / 1e6)
    end
    -- 35 KB in 1,200 lines; a slice is as large as two milliseconds allow.
    assert.is_true(best < Child.limit(20), best)
  end)
end)
