-- Whole views as rows: the sidebar and the list, at every width, painted for real.
local list_rows = require('himalaya.ui.list_rows')
local paint = require('himalaya.ui.paint')
local sidebar_rows = require('himalaya.ui.sidebar_rows')
local text = require('himalaya.ui.text')
local Child = require('tests.child')

local function texts(rows, width)
  return vim.tbl_map(function(row)
    assert.is_true(text.width(row.text) <= width, row.text)
    assert.is_nil(row.text:find('%c'))
    for _, span in ipairs(row.spans) do
      assert.is_true(span[1] >= 0 and span[1] <= span[2] and span[2] <= #row.text, row.text)
    end
    return row.text
  end, rows)
end

local ACCOUNTS = {
  {
    name = 'home',
    state = { state = 'syncing', unread = 9, pending_ops = 0 },
    folders = {
      { path = 'INBOX', name = 'INBOX', role = 'inbox', unread = 7 },
      { path = 'Lists/neovim', unread = 2 },
      { path = 'Lists/mail', unread = 0 },
    },
  },
  { name = 'office', state = { state = 'idle', pending_ops = 0, error = { message = 'No route.' } } },
}

describe('the sidebar', function()
  it('has accounts, folders, counts at the right edge and what sync does', function()
    local rows =
      sidebar_rows.of(ACCOUNTS, { width = 24, closed = {}, current = { account = 'home', folder = 'INBOX' } })
    assert.same({
      '▾ home               9 ⟳',
      '    INBOX              7',
      '  ▾ Lists',
      '      mail',
      '      neovim           2',
      '▾ office               !',
    }, texts(rows, 24))
    assert.equal('HimalayaFolderCurrent', rows[2].spans[1][3])
    assert.equal('home/Lists/neovim', rows[5].key)
    assert.equal('home', rows[5].account)
    assert.equal('Lists/neovim', rows[5].node.path)
  end)

  it('closes accounts and parents', function()
    local function shown(closed)
      return texts(sidebar_rows.of(ACCOUNTS, { width = 24, closed = closed }), 24)
    end
    assert.same({ '▸ home               9 ⟳', '▾ office               !' }, shown({ home = true }))
    assert.equal('  ▸ Lists              2', shown({ ['home/Lists'] = true })[3])
    assert.equal(6, #shown({ ['office/Lists'] = true }))
  end)

  it('keeps the rows of folders that look as they did', function()
    local accounts = vim.deepcopy(ACCOUNTS)
    local function rows(made, how)
      how = vim.tbl_extend('force', { width = 24, closed = {}, made = made }, how or {})
      return sidebar_rows.of(accounts, how)
    end
    local before, made = rows()
    accounts[1].folders[2] = { path = 'Lists/neovim', unread = 3 }
    local after, still = rows(made)
    assert.equal(3, after[5].node.unread)
    assert.equal(before[2], after[2])
    assert.is_true(after[5].text:find('3$') ~= nil and before[5] ~= after[5])
    -- Another width, a folder that is closed, and the one that is shown, each look different.
    assert.equal(30, text.width(rows(still, { width = 30 })[2].text))
    assert.equal('▸', rows(still, { closed = { ['home/Lists'] = true } })[3].text:match('%S+'))
    local current = rows(still, { current = { account = 'home', folder = 'INBOX' } })
    assert.equal('HimalayaFolderCurrent', current[2].spans[1][3])
    accounts[1].folders[3] = nil
    local _, left = rows(still)
    assert.is_nil(left['home/Lists/mail'])
  end)

  it('bears every width and every name', function()
    local accounts = {
      { name = ('x'):rep(300), state = { state = 'external', unread = 123456, pending_ops = 0 } },
      {
        name = 'home',
        state = { state = 'idle', pending_ops = 0 },
        folders = {
          { path = ('日'):rep(85), unread = 99999 },
          { path = '\27[2J/\n/' .. ('a/'):rep(60), unread = 1 },
        },
      },
    }
    for width = 5, 80 do
      assert.is_true(
        #texts(sidebar_rows.of(accounts, { width = width, closed = {} }), math.max(width, 10)) > 60
      )
    end
    assert.same(
      { 'No accounts; :help himalaya-setup' },
      texts(sidebar_rows.of({}, { width = 60, closed = {} }), 60)
    )
  end)
end)

local NOW = os.time({ year = 2024, month = 3, day = 14, hour = 12 })

local function shown(more)
  local items = {}
  for i = 1, 3 do
    items[i] = {
      id = i,
      subject = 'Message ' .. i,
      from = { name = 'Someone', addr = 'someone@example.org' },
      date = NOW - i * 60,
      size = 1000 * i,
      flags = { seen = i > 1 },
    }
  end
  return vim.tbl_extend('force', {
    address = 'someone@example.org',
    folder = 'INBOX',
    items = items,
    page = { page = 1, pages = 4, total = 98, last_sync = NOW - 720 },
    sync = { state = 'idle' },
  }, more or {})
end

describe('the list', function()
  it('has three lines above its messages, whether there is a sync or not', function()
    assert.same({
      'Himalaya - someone@example.org - INBOX',
      'Page 1 / 4 | 98 emails (12m ago)',
      '',
      '[ ]  • Someone  Message 1          11:59',
      '[ ]    Someone  Message 2          11:58',
      '[x]    Someone  Message 3          11:57',
    }, texts(list_rows.of(shown({ selected = { [3] = true } }), 40, NOW), 40))
    local syncing = list_rows.of(shown({ sync = { state = 'syncing', messages_done = 3 } }), 40, NOW)
    assert.equal('⟳ Sync: 3', syncing[list_rows.ABOVE].text)
    assert.equal(1, syncing[list_rows.ABOVE + 1].key)
  end)

  it('says why it is empty', function()
    local function last(more)
      more.items = {}
      local rows = list_rows.of(shown(more), 80, NOW)
      return rows[#rows].text
    end
    assert.equal('No messages.', last({}))
    assert.equal('Looking ...', last({ loading = true }))
    assert.equal('Nothing here matches.', last({ filter = 'is:unread' }))
    assert.equal(
      '! No route. Look at the network.',
      last({ err = { message = 'No route.', hint = 'Look at the network.' } })
    )
    local err =
      { message = 'No route to 図書館.', hint = ('Look at the network. '):rep(2) .. ('x'):rep(30) }
    local narrow = list_rows.of(shown({ items = {}, err = err }), 20, NOW)
    assert.same({
      '! No route to',
      '図書館. Look at the',
      'network. Look at the',
      'network.',
      ('x'):rep(19) .. '…',
    }, texts(vim.list_slice(narrow, list_rows.ABOVE + 1), 20))
    local rows = list_rows.of(shown({ filter = 'from:\27x' }), 80, NOW)
    assert.equal('/from:  Page 1 / 4 | 98 emails (12m ago)', rows[2].text)
  end)

  it('is painted with one line set when one message of fifty was read', function()
    local given = shown()
    for i = 4, 50 do
      given.items[i] = vim.tbl_extend('force', given.items[1], { id = i, subject = 'Message ' .. i })
    end
    local buffer = vim.api.nvim_create_buf(false, true)
    local before = list_rows.of(given, 100, NOW)
    paint.paint(buffer, {}, before)
    given.items[20] = vim.tbl_extend('force', given.items[20], { flags = { seen = true } })
    local best, rows = math.huge, nil
    for _ = 1, 5 do
      local began = vim.uv.hrtime()
      rows = list_rows.of(given, 100, NOW)
      best = math.min(best, (vim.uv.hrtime() - began) / 1e6)
    end
    assert.equal(1, paint.paint(buffer, before, rows))
    assert.is_true(best < Child.limit(4), best)
    -- A new one at the top, the last one gone from the page: two lines, not fifty.
    local after = vim.deepcopy(given)
    table.insert(after.items, 1, vim.tbl_extend('force', given.items[1], { id = 99, subject = 'New' }))
    table.remove(after.items)
    assert.equal(2, paint.paint(buffer, rows, list_rows.of(after, 100, NOW)))
    vim.api.nvim_buf_delete(buffer, { force = true })
  end)

  it('bears every width', function()
    for width = 1, 220 do
      texts(list_rows.of(shown({ folder = ('日'):rep(85) }), width, NOW), math.max(width, 10))
    end
  end)
end)
