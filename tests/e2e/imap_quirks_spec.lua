-- himalaya.imap against the quirks of tests/servers/vendors/quirks.py: the right result, or the right error in time.
-- needs python3
local child = require('tests.child')
local servers = require('tests.servers')
local imap = require('himalaya.imap')
local support = require('tests.imap_support')
local await, fetch = support.await, support.fetch

local ITEMS = { 'flags', 'envelope', 'size', 'internaldate', 'bodystructure' }

--- What an ordinary day asks of a server; the first error, or what was found.
local function day(server, change)
  local options = vim.tbl_extend('force', { network_timeout = 2, poll_interval = 0.2 }, change or {})
  local err, client = await(imap.open, server:imap('home', options))
  if err then
    return err
  end
  local found = {}
  local function step(name, ...)
    if not err then
      err, found[name] = await(client[name], client, ...)
    end
  end
  step('list', '*', { status = true })
  step('status', 'INBOX')
  if not err then
    err, found.messages = fetch(client, 'INBOX', '1:*', ITEMS)
  end
  if not err then
    err, found.bodies = fetch(client, 'INBOX', '1:*', { 'size', 'body' })
  end
  step('search', 'INBOX', 'ALL')
  step('copy', 'INBOX', found.search and { found.search[1], found.search[2] }, 'Archive')
  step('append', 'Sent', 'Subject: put here\r\n\r\ntext\r\n', {})
  step('capabilities')
  found.stats = client:stats()
  local closed
  client:close(function()
    closed = true
  end)
  child.wait_for(function()
    return closed
  end, 10000, 'the client to close')
  return err, found
end

-- Quirks under which everything must work as if they were not there.
local HARMLESS = {
  'preauth',
  'tagged-bye',
  'endless-bye',
  'search-return-bad',
  'special-use-bad',
  'id-empty-bad',
  'reverse-sets-bad',
  'line-limit',
  'pipeline-limit',
  'list-status-nothing',
  'nil-delimiter',
  'status-space',
  'stale-status',
  'enable-silent',
  'rev2-unasked',
  'highestmodseq-bare',
  'uidnext-missing',
  'uidnext-zero',
  'uidvalidity-zero',
  'nil-flags',
  'bracket-flags',
  'bare-continuation',
  'ok-error',
  'copyuid-invalid',
  'copyuid-untagged',
  'appenduid-missing',
  'literal-space',
  'modseq-negative',
  'decimal-integers',
  'fetch-zero',
  'rfc822-empty',
  'uids-descending',
  'flags-in-fetch',
  'envelope-space',
  'envelope-parens',
  'zero-date',
  'missing-host',
  'long-address',
  'alternative-childless',
  'dsp-string',
  'dsp-lang-swapped',
  'negative-lines',
  'control-in-names',
  'localised-inbox',
  'unescaped-quotes',
  'nil-media',
}

-- Quirks that cannot end well, and how they must end.
local HARMFUL = {
  ['greeting-garbage'] = { 'protocol' },
  ['spoofed-tag'] = { 'protocol' },
  throttle = { 'throttled' },
  silent = { 'timeout' },
  mute = { 'timeout' },
  ['bye-greeting'] = { 'offline', 'busy', 'throttled' },
  ['app-password'] = { 'auth' },
  unavailable = { 'auth', 'busy', 'throttled', 'offline' },
  overquota = { 'throttled' },
  ['literal-too-long'] = { 'timeout', 'protocol' },
  ['huge-literal'] = { 'timeout', 'protocol' },
  ['endless-response'] = { 'timeout', 'protocol' },
  ['endless-lines'] = { 'timeout', 'protocol' },
  ['bye-in-fetch'] = { 'offline', 'busy', 'throttled' },
  ['close-in-fetch'] = { 'offline' },
}

describe('the client and the quirk', function()
  local server

  setup(function()
    server = servers.vendor('hostile', { messages = 12 })
  end)
  teardown(servers.stop)

  for _, quirk in ipairs(HARMLESS) do
    it(quirk, function()
      server:ask({ ['do'] = 'quirk', on = { quirk }, set = { throttled = 2, backoff = 200 } })
      local before = server:ask({ ['do'] = 'report' }).folders
      local err, found = day(server)
      local after = server:ask({ ['do'] = 'report' })
      server:ask({ ['do'] = 'quirk', off = { quirk } })
      assert.is_nil(err, err and (err.code .. ': ' .. err.message))
      local uids = {}
      for _, m in ipairs(found.messages) do
        assert.is_nil(uids[m.uid], 'a message came twice')
        uids[m.uid] = true
      end
      assert.equal(#before.INBOX.uids, #found.messages)
      for _, m in ipairs(found.bodies) do
        assert.equal(quirk == 'decimal-integers' and #m.body or m.size, #m.body)
      end
      assert.same(before.INBOX.uids, found.search)
      assert.equal(#before.Archive.uids + 2, #after.folders.Archive.uids)
      assert.equal(#before.Sent.uids + 1, #after.folders.Sent.uids)
      assert.same({}, after.trouble)
    end)
  end

  for quirk, codes in pairs(HARMFUL) do
    it(quirk, function()
      server:ask({ ['do'] = 'quirk', on = { quirk } })
      local memory = vim.uv.resident_set_memory()
      local began = vim.uv.hrtime()
      local err = day(server)
      local took = (vim.uv.hrtime() - began) / 1e9
      server:ask({ ['do'] = 'quirk', off = { quirk } })
      assert.is_truthy(err, 'no error')
      assert.is_true(vim.tbl_contains(codes, err.code), err.code .. ': ' .. err.message)
      assert.is_true(took < child.limit(10), 'it took ' .. took .. ' s')
      if not vim.env.HIMALAYA_SANITIZER then
        local grown = (vim.uv.resident_set_memory() - memory) / 1048576
        assert.is_true(grown < 48, ('grew by %d MiB'):format(grown))
      end
    end)
  end

  it('deep-nesting: an error or a message without its structure, and the stack holds', function()
    server:ask({ ['do'] = 'quirk', on = { 'deep-nesting' } })
    local err = day(server)
    server:ask({ ['do'] = 'quirk', off = { 'deep-nesting' } })
    assert.is_true(err == nil or err.code == 'protocol', err and err.message)
  end)

  it('expunge-in-fetch: no message is taken for another', function()
    local own = servers.vendor('hostile', { messages = 12, quirks = { 'expunge-in-fetch' } })
    local sizes = {}
    for uid = 1, 12 do
      sizes[uid] = false
    end
    local plain = servers.vendor('hostile', { messages = 12 })
    local client = support.open(plain)
    local _, messages = fetch(client, 'INBOX', '1:*', { 'size', 'body' })
    client:close()
    for _, m in ipairs(messages) do
      sizes[m.uid] = m.body
    end
    client = support.open(own)
    local err, got = fetch(client, 'INBOX', '1:*', { 'size', 'body' })
    client:close()
    assert.is_nil(err, err and err.message)
    assert.is_true(#got >= 11)
    for _, m in ipairs(got) do
      assert.equal(sizes[m.uid], m.body)
    end
  end)

  it('connection-limit: it makes do with what it gets', function()
    local gmail = servers.vendor('gmail', { set = { 'limit=1' } })
    local client = support.open(gmail, { pool_size = 3 })
    local done = 0
    for _ = 1, 4 do
      client:fetch('INBOX', '1:*', { 'body' }, function() end, function(err)
        assert.is_nil(err)
        done = done + 1
      end)
    end
    child.wait_for(function()
      return done == 4
    end, 15000, 'four fetches over one connection')
    client:close()
  end)

  it('login-literal-bad: names and passwords are quoted', function()
    local own = servers.vendor('courier', { quirks = { 'login-literal-bad' }, password = 'a"b\\c d{3}' })
    support.open(own):close()
  end)

  it('starttls-injection: nothing said before TLS is believed', function()
    local bridge = servers.vendor('proton', { quirks = { 'starttls-injection' } })
    local err, client = await(imap.open, bridge:imap('home', { tls = 'starttls', network_timeout = 2 }))
    if err then
      assert.is_true(err.code == 'tls' or err.code == 'protocol', err.code .. ': ' .. err.message)
    else
      assert.is_nil(support.result(client.capabilities, client).INJECTED)
      client:close()
    end
    assert.same({}, bridge:ask({ ['do'] = 'report' }).trouble)
  end)

  it('preauth before STARTTLS: nothing is done in plain', function()
    local bridge = servers.vendor('proton', { quirks = { 'preauth' } })
    local err = await(imap.open, bridge:imap('home', { tls = 'starttls', network_timeout = 2 }))
    assert.is_truthy(err and (err.code == 'tls' or err.code == 'protocol'), err and err.message or 'no error')
  end)
end)

describe('the watch and the quirk', function()
  after_each(servers.stop)
  for quirk, change in pairs({
    ['still-here'] = {},
    ['idle-no-done'] = { idle_renewal = 0.3 },
    ['idle-stale'] = { idle_renewal = 0.3 },
    ['idle-hangs'] = {},
  }) do
    it(quirk, function()
      local server = servers.vendor('hostile', { messages = 3, quirks = { quirk } })
      change.network_timeout, change.poll_interval = 1, 0.2
      local client = support.open(server, change)
      local newest
      client:watch('INBOX', function(news)
        newest = news.exists or newest
      end)
      child.wait_for(function()
        return client:stats().mode ~= 'none'
      end, 10000, 'the watch to begin')
      server:ask({ ['do'] = 'deliver' })
      child.wait_for(function()
        return newest == 4
      end, 10000, 'news of the new message')
      client:close()
    end)
  end
end)

describe('the certificate that is', function()
  after_each(servers.stop)
  for _, kind in ipairs({ 'expired', 'other-host', 'self-signed' }) do
    it(kind, function()
      local server = servers.vendor('plain', { certificate = kind })
      for _, tls in ipairs({ 'implicit', 'starttls' }) do
        local err = await(imap.open, server:imap('home', { tls = tls, network_timeout = 3 }))
        assert.equal('tls', err and err.code)
      end
      assert.equal(0, server:ask({ ['do'] = 'report' }).logins)
    end)
  end
end)
