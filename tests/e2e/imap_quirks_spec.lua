-- himalaya.imap against the quirks of tests/servers/vendors/quirks.py that an honest server may have: the right result.
-- needs python3
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.imap_support')
local fetch = support.fetch

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
      local err, found = support.day(server)
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
