-- needs dovecot
-- himalaya.mail as nobody means it: odd arguments, folders and ids that are not there, pages beyond the end, cursors
-- while mail arrives, queries with every sign.
local child = require('tests.child')
local servers = require('tests.servers')

local nvim, dovecot

local function start(account)
  nvim = child.start({
    setup = {
      accounts = {
        home = vim.tbl_extend(
          'force',
          { email = 'home@example.org', imap = dovecot:imap('home') },
          account or {}
        ),
        dead = { email = 'dead@example.org', imap = { host = '127.0.0.1', port = 1, auth = { value = 'x' } } },
      },
      async = { enabled = false },
    },
  })
end

local function mail(name, ...)
  return nvim.await(function(done, what, count, given)
    -- Holes in the arguments come as false.
    local arguments = {}
    for at = 1, count do
      local value = given[at]
      arguments[at] = value ~= vim.NIL and value or nil
    end
    local calls = 0
    arguments[count + 1] = function(err, result)
      calls = calls + 1
      done({ err = err and { code = err.code, message = err.message }, result = result, calls = calls })
    end
    local ok, raised = pcall(function()
      require('himalaya.mail')[what](unpack(arguments, 1, count + 1))
    end)
    if not ok then
      done({ raised = raised })
    end
  end, name, select('#', ...), { ... })
end

local function good(answer)
  assert.is_nil(answer.raised)
  assert.is_nil(answer.err and answer.err.message)
  return answer.result
end

local function sync(kind)
  local result = good(nvim.await(function(done, what)
    require('himalaya.sync.manager').start_sync(what, { account = 'home' }, function(err, result)
      done({ err = err and { code = err.code, message = err.message }, result = result })
    end)
  end, kind or 'full')).accounts.home
  assert.is_nil(result.err and result.err.message)
  return result
end

local function deliver(message, count)
  dovecot:ask({ ['do'] = 'deliver', user = 'home', message = message, count = count })
end

local function ids(result)
  return vim.tbl_map(function(item)
    return item.id
  end, result.items)
end

local function found(query)
  local subjects = {}
  for _, item in ipairs(good(mail('list', 'home', 'INBOX', { query = query, page_size = 500 })).items) do
    subjects[#subjects + 1] = item.subject
  end
  table.sort(subjects)
  return subjects
end

before_each(function()
  dovecot = servers.dovecot({ users = { 'home' }, messages = 50 })
  start()
end)
after_each(function()
  child.stop_all()
  servers.stop()
end)

describe('himalaya.mail', function()
  it('raises bad arguments at once, by name, whether or not the account is open', function()
    local function raises(words, ...)
      local answer = mail(...)
      assert.truthy(answer.raised, ('%s: %s'):format(words, vim.inspect(answer)))
      assert.truthy(answer.raised:find(words, 1, true), answer.raised)
    end
    for _ = 1, 2 do
      raises('account', 'list', 7, 'INBOX', {})
      raises('folder', 'list', 'home', 7, {})
      raises('opts', 'list', 'home', 'INBOX', 'all')
      raises('page', 'list', 'home', 'INBOX', { page = 0 })
      raises('page', 'list', 'home', 'INBOX', { page = -1 })
      raises('page', 'list', 'home', 'INBOX', { page = 1.5 })
      raises('page', 'list', 'home', 'INBOX', { page = 'two' })
      raises('page_size', 'list', 'home', 'INBOX', { page_size = 0 })
      raises('page_size', 'list', 'home', 'INBOX', { page_size = 1e9 })
      raises('after', 'list', 'home', 'INBOX', { after = 'nonsense' })
      raises('before', 'list', 'home', 'INBOX', { before = 12 })
      raises('after', 'list', 'home', 'INBOX', { after = ('9'):rep(30) .. '.1' })
      raises('query', 'list', 'home', 'INBOX', { query = {} })
      raises('thread', 'list', 'home', 'INBOX', { thread = 'yes' })
      raises('id', 'read', 'home', 'INBOX', 'one', {})
      raises('id', 'read', 'home', 'INBOX', 1.5, {})
      raises('offset', 'read', 'home', 'INBOX', 1, { offset = -1 })
      raises('max_bytes', 'read', 'home', 'INBOX', 1, { max_bytes = 0 })
      raises('mark_seen', 'read', 'home', 'INBOX', 1, { mark_seen = 'yes' })
      raises('ids', 'flag', 'home', 'INBOX', { a = 1 }, { add = { 'seen' } })
      raises('ids[2]', 'flag', 'home', 'INBOX', { 1, 'x' }, { add = { 'seen' } })
      raises('ids[1]', 'flag', 'home', 'INBOX', { 1.5 }, { add = { 'seen' } })
      raises('change.add', 'flag', 'home', 'INBOX', { 1 }, { add = 'seen' })
      raises('change.add', 'flag', 'home', 'INBOX', { 1 }, { add = { 'not an atom' } })
      raises('target', 'move', 'home', 'INBOX', { 1 }, 5)
      raises('target', 'copy', 'home', 'INBOX', { 1 }, vim.NIL)
      raises('part', 'save_attachment', 'home', 'INBOX', 1, 2, '/tmp/x')
      raises('path', 'save_attachment', 'home', 'INBOX', 1, '1', '')
      raises('path', 'save_attachment', 'home', 'INBOX', 1, '1', '/tmp/a\0b')
      raises('opts.path', 'export', 'home', 'INBOX', {})
      raises('opts.format', 'export', 'home', 'INBOX', { path = '/tmp/x', format = 'zip' })
      raises('path', 'import', 'home', 'INBOX', '', {})
      raises('opts.account', 'undo', { account = 7 })
      sync()
    end
    assert.equal('', nvim.lua('return vim.v.errmsg'))
  end)

  it('says what is not there, and never takes another', function()
    sync()
    local item = good(mail('list', 'home', 'INBOX', { page_size = 1 })).items[1]
    local function code(...)
      local answer = mail(...)
      assert.is_nil(answer.raised)
      return answer.err and answer.err.code
    end
    for _, folder in ipairs({ 'Nowhere', '', 'inbox/../INBOX', ('x'):rep(5000), 'IN\nBOX' }) do
      assert.equal('not_found', code('list', 'home', folder, {}), folder)
      assert.equal('not_found', code('count', 'home', folder), folder)
      assert.equal('not_found', code('read', 'home', folder, item.id, {}), folder)
      assert.equal('not_found', code('flag', 'home', folder, { item.id }, { add = { 'seen' } }), folder)
      assert.equal('not_found', code('move', 'home', 'INBOX', { item.id }, folder), folder)
      assert.equal('not_found', code('export', 'home', folder, { path = vim.fn.tempname() }), folder)
    end
    for _, id in ipairs({ 0, -1, 2 ^ 52, item.id + 100000 }) do
      assert.equal('not_found', code('read', 'home', 'INBOX', id, {}))
      assert.equal('not_found', code('flag', 'home', 'INBOX', { id }, { add = { 'seen' } }))
      assert.equal('not_found', code('save_attachment', 'home', 'INBOX', id, '1', vim.fn.tempname()))
      -- All or nothing.
      assert.equal('not_found', code('delete', 'home', 'INBOX', { item.id, id }))
      assert.equal('not_found', code('move', 'home', 'INBOX', { item.id, id }, 'Archive'))
      assert.equal('not_found', code('move', 'home', 'INBOX', { id }, 'INBOX'))
      assert.equal('not_found', code('copy', 'home', 'INBOX', { item.id, id }, 'Archive'))
    end
    assert.equal('not_found', code('read', 'home', 'Archive', item.id, {}))
    assert.equal('not_found', code('move', 'home', 'Archive', { item.id }, 'INBOX'))
    assert.equal('not_found', code('undo', {}))
    assert.equal('config', code('list', 'nobody', 'INBOX', {}))
    assert.equal('config', code('undo', { account = 'nobody' }))
    assert.equal(50, good(mail('count', 'home', 'INBOX')).total)
    assert.equal(0, good(mail('count', 'home', 'Archive')).total)
    assert.equal(0, sync().uploaded)
  end)

  it('does nothing for no messages, and one thing for a message named twice', function()
    sync()
    local item = good(mail('list', 'home', 'INBOX', { page_size = 1 })).items[1]
    for _, action in ipairs({
      { 'flag', {}, { add = { 'flagged' } } },
      { 'move', {}, 'Archive' },
      { 'copy', {}, 'Archive' },
      { 'delete', {} },
    }) do
      local result = good(mail(action[1], 'home', 'INBOX', action[2], unpack(action, 3)))
      assert.is_nil(result.op)
    end
    good(mail('flag', 'home', 'INBOX', { item.id, item.id }, { add = { 'flagged', 'flagged' } }))
    good(mail('copy', 'home', 'INBOX', { item.id, item.id }, 'Archive'))
    good(mail('move', 'home', 'INBOX', { item.id, item.id }, 'Drafts'))
    assert.equal(49, good(mail('count', 'home', 'INBOX')).total)
    assert.equal(1, good(mail('count', 'home', 'Drafts')).total)
    assert.equal(1, good(mail('count', 'home', 'Archive')).total)
    local summary = sync()
    assert.same({}, summary.refused)
    sync()
    assert.equal(49, good(mail('count', 'home', 'INBOX')).total)
    assert.equal(1, good(mail('count', 'home', 'Drafts')).total)
    assert.equal(1, good(mail('count', 'home', 'Archive')).total)
  end)

  it('takes flags by any case, adds and removes at once, and keeps what is not named', function()
    sync()
    local item = good(mail('list', 'home', 'INBOX', { page_size = 1 })).items[1]
    local function flags()
      local now = good(mail('list', 'home', 'INBOX', { page_size = 1 })).items[1]
      return now.flags, now.keywords
    end
    good(
      mail('flag', 'home', 'INBOX', item.id, { add = { 'Seen', 'FLAGGED', 'ToDo' }, remove = { 'answered' } })
    )
    local now, keywords = flags()
    assert.is_true(now.seen and now.flagged and not now.answered)
    assert.is_true(vim.list_contains(keywords, 'ToDo'))
    -- A keyword is one in any case, and this one is a flag.
    assert.is_nil(good(mail('flag', 'home', 'INBOX', item.id, { add = { 'TODO' } })).op)
    good(mail('flag', 'home', 'INBOX', item.id, { add = { '$forwarded' } }))
    now, keywords = flags()
    assert.same({ true, { 'ToDo' } }, { now.forwarded, keywords })
    good(mail('flag', 'home', 'INBOX', item.id, { remove = { 'seen' } }))
    now = flags()
    assert.is_true(not now.seen and now.flagged)
    good(mail('flag', 'home', 'INBOX', item.id, {}))
    good(mail('undo', {}))
    now = flags()
    assert.is_true(now.seen and now.flagged)
    sync()
    now, keywords = flags()
    assert.is_true(now.seen and now.flagged)
    assert.is_true(vim.list_contains(keywords, 'ToDo'))
  end)

  it('gives empty pages beyond the end, and cursors that lead nowhere wrong', function()
    sync()
    for _, opts in ipairs({ { page = 99 }, { page = 2 ^ 30 }, { page = 3, page_size = 25 } }) do
      local page = good(mail('list', 'home', 'INBOX', opts))
      assert.same({}, page.items)
      assert.equal(50, page.total)
      assert.is_nil(page.next)
    end
    local empty = good(mail('list', 'home', 'Junk', {}))
    assert.same({ {}, 0 }, { empty.items, empty.total })
    assert.is_nil(empty.next or empty.previous)
    -- Down by cursors, and up again, are the same pages.
    local down, pages, opts = {}, {}, { page_size = 7 }
    repeat
      local page = good(mail('list', 'home', 'INBOX', opts))
      pages[#pages + 1] = page
      vim.list_extend(down, ids(page))
      opts = { page_size = 7, after = page.next }
    until not page.next
    assert.equal(50, #down)
    local up = ids(pages[#pages])
    local page = pages[#pages]
    while page.previous do
      page = good(mail('list', 'home', 'INBOX', { page_size = 7, before = page.previous }))
      up = vim.list_extend(ids(page), up)
    end
    assert.same(down, up)
  end)

  it('shows each message once to who pages down while mail arrives and leaves', function()
    sync()
    local first = good(mail('list', 'home', 'INBOX', { page_size = 500 }))
    local before = ids(first)
    local seen, opts, round = {}, { page_size = 6 }, 0
    repeat
      local page = good(mail('list', 'home', 'INBOX', opts))
      for _, id in ipairs(ids(page)) do
        assert.is_nil(seen[id])
        seen[id] = true
      end
      round = round + 1
      if round % 2 == 1 then
        deliver(nil, 3)
        sync('inbox')
        -- What was shown already leaves.
        good(mail('move', 'home', 'INBOX', { page.items[1].id }, 'Archive'))
      end
      opts = { page_size = 6, after = page.next }
    until not page.next
    for _, id in ipairs(before) do
      assert.is_true(seen[id])
    end
    -- And up from the oldest: everything that is there now.
    local all = ids(good(mail('list', 'home', 'INBOX', { page_size = 500 })))
    local last = good(mail('list', 'home', 'INBOX', { page_size = 6, page = math.ceil(#all / 6) }))
    local up = ids(last)
    while last.previous do
      last = good(mail('list', 'home', 'INBOX', { page_size = 6, before = last.previous }))
      up = vim.list_extend(ids(last), up)
    end
    assert.same(all, up)
  end)

  it('finds by every term of the query, with quotes, signs and dates', function()
    local function letter(subject, more)
      deliver(
        ('Subject: %s\nFrom: %s\nTo: %s\nMessage-ID: <%d@example.org>\n\ntext\n'):format(
          subject,
          more and more.from or 'Zed Zebra <zed@zebra.example>',
          more and more.to or 'Quentin <quentin@example.org>',
          math.random(2 ^ 40)
        )
      )
    end
    letter('xylophone 100% _wild*')
    letter('"quoted" xylophone')
    letter('Re: xylophone lunch')
    letter('=?utf-8?q?=C3=84pfel_xylophone?=')
    letter("xylophone's back\\slash", { from = '"O\'Neil, Tim" <tim@zebra.example>' })
    letter('other', { to = 'list@zebra.example' })
    sync()
    assert.equal(5, #found('xylophone'))
    assert.equal(5, #found('XYLOphone'))
    assert.equal(5, #found('subject:xylophone'))
    assert.same({ 'xylophone 100% _wild*' }, found('100%'))
    assert.same({ 'xylophone 100% _wild*' }, found('_wild*'))
    assert.same({}, found('1_0%'))
    assert.same({ 'Re: xylophone lunch' }, found('"xylophone lunch"'))
    assert.same({ 'Re: xylophone lunch' }, found('re: xylophone'))
    assert.same({}, found('"lunch xylophone"'))
    assert.same({ 'Äpfel xylophone' }, found('Äpfel'))
    assert.same({ "xylophone's back\\slash" }, found('back\\slash'))
    assert.same({ "xylophone's back\\slash" }, found('from:"O\'Neil, Tim"'))
    assert.same({ "xylophone's back\\slash" }, found('from:tim@'))
    assert.same({ 'other' }, found('to:list@zebra'))
    assert.equal(6, #found('from:zebra'))
    assert.equal(5, #found('from:zebra subject:xylophone is:unread'))
    assert.same({}, found('is:answered from:zebra'))
    assert.same({}, found("'; DROP TABLE message; --"))
    assert.equal(56, #found(''))
    assert.equal(56, #found('   \t '))
    -- Mail that came now, and mail of the years before.
    local year = tonumber(os.date('!%Y'))
    assert.equal(6, #found(('after:%d-%s'):format(year, os.date('!%m'))))
    assert.equal(50, #found('before:2026-01-02'))
    assert.equal(56, #found('after:1970'))
    assert.equal(0, #found('before:1970'))
    assert.equal(0, #found('after:9999'))
    assert.equal(50, #found('after:2023 before:2026-01-02'))
    local month = #found('after:2025-01-01 before:2025-02-01')
    assert.is_true(month >= 1 and month <= 2)
    assert.equal(month, #found('after:2025-01 before:2025-02'))
    for _, wrong in ipairs({
      'before:yesterday',
      'after:2025-13-01',
      'after:2025-02-30',
      'before:2025-00',
      'is:nice',
      'has:fun',
      'from:',
      'before:',
    }) do
      local answer = mail('list', 'home', 'INBOX', { query = wrong })
      assert.equal('invalid', answer.err and answer.err.code, wrong)
    end
    -- Pages of what was found.
    local first = good(mail('list', 'home', 'INBOX', { query = 'xylophone', page_size = 2 }))
    assert.equal(2, #first.items)
    local second =
      good(mail('list', 'home', 'INBOX', { query = 'xylophone', page_size = 2, after = first.next }))
    local third = good(mail('list', 'home', 'INBOX', { query = 'xylophone', page_size = 2, page = 3 }))
    assert.same({ 2, 1 }, { #second.items, #third.items })
    assert.is_nil(third.next)
    assert.same(
      ids(first),
      ids(
        good(mail('list', 'home', 'INBOX', { query = 'xylophone', page_size = 2, before = second.previous }))
      )
    )
  end)

  it('deletes to the trash, from there for good, and takes back in time', function()
    sync()
    local items = good(mail('list', 'home', 'INBOX', { page_size = 3 })).items
    good(mail('delete', 'home', 'INBOX', { items[1].id }))
    assert.equal('not_found', mail('delete', 'home', 'INBOX', { items[1].id }).err.code)
    assert.equal(1, good(mail('count', 'home', 'Trash')).total)
    good(mail('delete', 'home', 'Trash', { items[1].id }))
    assert.equal(0, good(mail('count', 'home', 'Trash')).total)
    assert.equal('not_found', mail('read', 'home', 'Trash', items[1].id, {}).err.code)
    local undone = good(mail('undo', {}))
    assert.same({ 'delete', { items[1].id } }, { undone.op, undone.ids })
    assert.equal(1, good(mail('count', 'home', 'Trash')).total)
    undone = good(mail('undo', {}))
    assert.equal('delete', undone.op)
    assert.equal(50, good(mail('count', 'home', 'INBOX')).total)
    assert.equal('not_found', mail('undo', {}).err.code)
    local again = good(mail('list', 'home', 'INBOX', { page_size = 3 })).items
    assert.equal(items[1].id, again[1].id)
    assert.is_false(again[1].pending)
    assert.equal(0, sync().uploaded)
  end)

  it('writes an attachment where people say, and over nothing', function()
    deliver(table.concat({
      'Subject: with a file',
      'Message-ID: <file@example.org>',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'see',
      '--b',
      'Content-Disposition: attachment; filename="../a.bin"',
      'Content-Transfer-Encoding: base64',
      '',
      'AAEC/w==',
      '--b--',
      '',
    }, '\n'))
    sync()
    local item = good(mail('list', 'home', 'INBOX', { query = '"with a file"' })).items[1]
    local part = good(mail('read', 'home', 'INBOX', item.id, {})).attachments[1].part
    local home, cwd = unpack(nvim.lua('return { vim.uv.os_homedir(), vim.uv.cwd() }'))
    for path, file in pairs({ ['~/one.bin'] = home .. '/one.bin', ['two.bin'] = cwd .. '/two.bin' }) do
      local saved = good(mail('save_attachment', 'home', 'INBOX', item.id, part, path))
      assert.same({ path = file, size = 4 }, saved)
      local data = assert(io.open(file, 'rb')):read('*a')
      assert.equal('\0\1\2\255', data)
      local again = mail('save_attachment', 'home', 'INBOX', item.id, part, path)
      assert.equal('store', again.err.code)
    end
  end)

  it('can be cancelled at any moment, and calls back once', function()
    local answer = nvim.await(function(done)
      local calls, codes = 0, {}
      local handles = {}
      for i = 1, 20 do
        handles[i] = require('himalaya.mail').list('home', 'INBOX', {}, function(err)
          calls = calls + 1
          codes[err and err.code or 'none'] = true
          if calls == 20 then
            vim.defer_fn(function()
              done({ calls = calls, codes = codes, late = handles[1]:cancel() })
            end, 50)
          end
        end)
      end
      for i = 1, 20 do
        handles[i]:cancel()
        handles[i]:close()
      end
    end)
    assert.equal(20, answer.calls)
    assert.is_false(answer.late)
  end)

  it('answers for an account whose server is dead, from what is here', function()
    assert.same({}, good(mail('folders', 'dead')))
    assert.equal('not_found', mail('list', 'dead', 'INBOX', {}).err.code)
  end)
end)
