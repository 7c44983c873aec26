-- himalaya.imap given what it must not take: bad arguments raise at once and name themselves, and nothing is sent.
-- needs python3
local child = require('tests.child')
local servers = require('tests.servers')
local imap = require('himalaya.imap')
local support = require('tests.imap_support')
local result = support.result

local nan, huge = 0 / 0, math.huge
local function nothing() end

describe('the client, given wrong arguments,', function()
  local server, client

  setup(function()
    server = servers.vendor('plain', { messages = 3 })
    client = support.open(server)
  end)
  teardown(function()
    client:close()
    servers.stop()
  end)

  local function raises(name, fn, ...)
    local ok, problem = pcall(fn, ...)
    assert.is_false(ok, name .. ' was taken')
    assert.is_truthy(tostring(problem):find(name, 1, true), tostring(problem))
  end

  it('raises for options of a wrong type or value, by their names', function()
    local good = server:imap('home')
    for _, wrong in ipairs({
      { 'host', 7 },
      { 'host', {} },
      { 'user', false },
      { 'port', 'x' },
      { 'port', 0 },
      { 'port', 65536 },
      { 'port', 1.5 },
      { 'port', nan },
      { 'tls', 'ssl' },
      { 'tls', true },
      { 'ca_file', 1 },
      { 'pool_size', 0 },
      { 'pool_size', 2.5 },
      { 'pool_size', huge },
      { 'idle_timeout', -1 },
      { 'idle_timeout', nan },
      { 'network_timeout', huge },
      { 'network_timeout', '30' },
      { 'bandwidth_limit', 0 },
      { 'bandwidth_limit', nan },
      { 'bandwidth_limit', huge },
      { 'compress', 'yes' },
      { 'auth', 'secret' },
      { 'auth', { type = 'magic', value = 'x' } },
      { 'auth', { command = 'pass show mail' } },
      { 'auth', { value = 12 } },
      { 'auth', {} },
    }) do
      local opts = vim.tbl_extend('force', good, { [wrong[1]] = wrong[2] })
      raises(wrong[1], imap.open, opts, nothing)
    end
    raises('host', imap.open, { user = 'home', auth = { value = 'x' } }, nothing)
    raises('opts', imap.open, 'imap.example.org', nothing)
    raises('cb', imap.open, good)
  end)

  it('raises for arguments of every call, by their names', function()
    local function call(method, ...)
      return client[method], client, ...
    end
    raises('cb', call('capabilities'))
    raises('pattern', call('list', 1, nothing))
    raises('opts', call('list', '*', 'x', nothing))
    raises('folder', call('status', nil, nothing))
    raises('cb', call('status', 'INBOX'))
    for _, uids in ipairs({
      0,
      -1,
      1.5,
      nan,
      huge,
      'x',
      '',
      '1:',
      '0',
      '5:1:2',
      '1,',
      '4294967296',
      4294967295,
      true,
    }) do
      raises('uids', call('fetch', 'INBOX', uids, { 'flags' }, nothing, nothing))
      raises('uids', call('store', 'INBOX', uids, { add = { 'seen' } }, nothing))
    end
    for _, uids in ipairs({ { 0 }, { 'x' }, { 1, 2.5 }, { nan }, { 1, false }, { 1, 4294967295 } }) do
      raises('uids', call('fetch', 'INBOX', uids, { 'flags' }, nothing, nothing))
      raises('uids', call('copy', 'INBOX', uids, 'Archive', nothing))
    end
    for _, item in ipairs({
      'everything',
      '',
      'part:',
      'part:0',
      'part:1..2',
      'part:1.',
      'part:X',
      'part:HEADER.1',
      'header:',
      'header:a b',
      'header:a\r\nb',
      'BODY[]',
      7,
    }) do
      raises('items', call('fetch', 'INBOX', 1, { item }, nothing, nothing))
    end
    raises('items', call('fetch', 'INBOX', 1, 'flags', nothing, nothing))
    raises(
      'items.changed_since: expected',
      call('fetch', 'INBOX', 1, { 'flags', changed_since = -1 }, nothing, nothing)
    )
    raises(
      'items.changed_since: expected',
      call('fetch', 'INBOX', 1, { 'flags', changed_since = nan }, nothing, nothing)
    )
    raises('items', call('fetch', 'INBOX', 1, { 'flags', unknown = 1 }, nothing, nothing))
    raises('priority: expected', call('fetch', 'INBOX', 1, { 'flags', priority = 'now' }, nothing, nothing))
    raises('on_message', call('fetch', 'INBOX', 1, { 'flags' }, nil, nothing))
    raises('cb', call('fetch', 'INBOX', 1, { 'flags' }, nothing))
    local bad = { 7, { 'ALL' }, { larger = -1 }, { larger = 1.5 }, { from = { 1 } }, 'A\r\nB', 'A\0' }
    for _, criteria in ipairs(bad) do
      raises('criteria', call('search', 'INBOX', criteria, nothing))
    end
    for _, flag in ipairs({ 'a b', '\\', '', 'x)', 'a\r\nb', 'sé' }) do
      raises('changes.add', call('store', 'INBOX', 1, { add = { flag } }, nothing))
      raises('flags', call('append', 'INBOX', 'x', { flags = { flag } }, nothing))
    end
    raises('changes', call('store', 'INBOX', 1, 'seen', nothing))
    raises('uidvalidity', call('store', 'INBOX', 1, { uidvalidity = 2 ^ 32 }, nothing))
    raises('unchanged_since', call('store', 'INBOX', 1, { unchanged_since = huge }, nothing))
    raises('target', call('copy', 'INBOX', 1, nil, nothing))
    raises('target', call('move', 'INBOX', 1, {}, nothing))
    raises('message', call('append', 'INBOX', nil, {}, nothing))
    raises('message', call('append', 'INBOX', {}, {}, nothing))
    raises('message', call('append', 'INBOX', { { flags = {} } }, {}, nothing))
    raises('message', call('append', 'INBOX', { 'x' }, {}, nothing))
    for _, date in ipairs({ 7, 'today', '1-Feb-2026', 'x"\r\nA1 LOGOUT', '02-Oct-2026 17:28:25 +0200 ' }) do
      raises('date', call('append', 'INBOX', 'x', { date = date }, nothing))
    end
    raises('folder', call('create', nil, nothing))
    raises('on_change', call('watch', 'INBOX'))
    -- Nothing of it harmed the connection.
    assert.equal(3, result(client.status, client, 'INBOX').messages)
  end)

  it('never lets a name out of its argument', function()
    local before = server:ask({ ['do'] = 'report' }).folders
    for _, name in ipairs({
      'a\r\nX1 DELETE Archive\r\n',
      'a" "b',
      'a\\" X',
      '{3}',
      '{3+}\r\nabc',
      'x\0y',
      '',
      ('n'):rep(70000),
      '\255\254',
    }) do
      for _, ask in ipairs({
        function(cb)
          return client:status(name, cb)
        end,
        function(cb)
          return client:list(name, cb)
        end,
        function(cb)
          return client:copy('INBOX', 1, name, cb)
        end,
        function(cb)
          return client:search('INBOX', { subject = name }, cb)
        end,
        function(cb)
          return client:append(name, 'Subject: x\r\n\r\n', {}, cb)
        end,
      }) do
        local done
        ask(function()
          done = true
        end)
        child.wait_for(function()
          return done
        end, 15000, 'an end for ' .. name:sub(1, 20))
      end
    end
    local after = server:ask({ ['do'] = 'report' })
    assert.same({}, after.trouble)
    for folder, was in pairs(before) do
      assert.is_truthy(after.folders[folder], folder .. ' is gone')
      assert.equal(#was.uids, #after.folders[folder].uids)
    end
    assert.equal(3, result(client.status, client, 'INBOX').messages)
  end)
end)
