-- himalaya.imap where things go wrong, and what it must cost when they go right.
local child = require('tests.child')
local servers = require('tests.servers')
local imap = require('himalaya.imap')
local support = require('tests.imap_support')
local await, result, open, fetch = support.await, support.result, support.open, support.fetch

describe('the client', function()
  after_each(servers.stop)

  it('says auth for a wrong password and leaves nothing open', function()
    local server = servers.dovecot({ users = { 'home' } })
    local err = await(imap.open, server:imap('home', { auth = { value = 'wrong' } }))
    assert.equal('auth', err.code)
    assert.is_nil(err.message:find('wrong', 1, true))
  end)

  it("logs in with an account's options as setup keeps them, the password locked away", function()
    local server = servers.dovecot({ users = { 'home' }, messages = 1 })
    local config = require('himalaya.config')
    config.set({ accounts = { home = { imap = server:imap('home') } } })
    assert.same({}, config.problems())
    assert.equal('function', type(config.account('home').imap.auth.value))
    local client = result(imap.open, config.account('home').imap)
    assert.equal(1, result(client.status, client, 'INBOX').messages)
    client:close()
    config.set({})
  end)

  it('says tls for a certificate of nobody it trusts, and offline where nobody listens', function()
    local server = servers.dovecot({ users = { 'home' }, certificate = 'self-signed' })
    local opts = server:imap('home')
    opts.ca_file = nil
    assert.equal('tls', (await(imap.open, opts)).code)
    -- Not the server's own one after its end, which may be another suite's by then.
    assert.equal(
      'offline',
      (await(imap.open, { host = '127.0.0.1', port = 1, user = 'home', auth = { value = 'x' } })).code
    )
  end)

  it('raises for bad arguments and names them', function()
    assert.error_matches(function()
      imap.open({ user = 'home', auth = { value = 'x' } }, function() end)
    end, 'host')
    assert.error_matches(function()
      imap.open({ host = 'localhost', user = 'home', auth = { value = 'x' }, tls = 'maybe' }, function() end)
    end, 'tls')
    assert.error_matches(function()
      imap.open({}, nil)
    end, 'cb')
  end)

  it('gives a handle for every question, known answers and the end among them', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 3 })
    local client = support.open(server)
    for _, call in ipairs({
      { 'capabilities' },
      { 'list', '*' },
      { 'status', 'INBOX' },
      { 'search', 'INBOX', 'ALL' },
      { 'close' },
    }) do
      local err, _, handle = support.await(client[call[1]], client, unpack(call, 2))
      assert.is_nil(err)
      assert.is_number(handle.id)
      assert.is_false(handle:cancel())
      local closed
      handle:close(function()
        closed = true
      end)
      child.wait_for(function()
        return closed
      end, 5000, 'close() of ' .. call[1])
    end
  end)

  it('ends a fetch whose messages wait to be told of, though all have come', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 200 })
    local client = support.open(server)
    local told, ending, handle = 0, nil, nil
    handle = client:fetch('INBOX', '1:*', { 'flags' }, function()
      told = told + 1
      if told == 1 then
        -- The rest arrives while the editor does something else, which does not let it tell of any.
        vim.wait(child.limit(200), function()
          return client:stats().bytes_in > 200 * 40
        end, 5, true)
        assert.is_true(handle:cancel())
      end
    end, function(err)
      ending = err
    end)
    child.wait_for(function()
      return ending
    end, 10000, 'the end of the fetch')
    assert.equal('cancelled', ending.code)
    assert.equal(1, told)
    client:close()
  end)

  it('fetches what has changed since, at the priority it is given', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 5 })
    local client = support.open(server)
    local before = result(client.status, client, 'INBOX').highestmodseq
    result(client.store, client, 'INBOX', 2, { add = { 'kept' } })
    for _, priority in ipairs({ 'user', 'ui', 'background' }) do
      local err, messages =
        fetch(client, 'INBOX', '1:*', { 'flags', 'modseq', changed_since = before, priority = priority })
      assert.is_nil(err)
      assert.equal(1, #messages)
      assert.equal(2, messages[1].uid)
    end
    client:close()
  end)

  it('hears at once of further folders, whatever letters are in their names', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 3 })
    local client = support.open(server)
    local heard = {}
    local function on_change(change)
      heard[change.folder] = change.exists or heard[change.folder]
    end
    for _, folder in ipairs({ 'Reading', 'B\195\188cher & mehr' }) do
      result(client.create, client, folder)
      client:watch(folder, on_change)
    end
    client:watch('INBOX', on_change)
    child.wait_for(function()
      return client:stats().mode == 'notify'
    end, 10000, 'the watch to begin')
    local other = support.open(server)
    for _, folder in ipairs({ 'Reading', 'B\195\188cher & mehr' }) do
      -- The watch may still be on its way to this folder: the next message is news then.
      child.wait_for(function()
        result(other.append, other, folder, 'Subject: put here\r\n\r\n', {})
        return vim.wait(1500, function()
          return heard[folder] ~= nil
        end, 5)
      end, 10000, 'news of ' .. folder)
      assert.is_true(result(client.status, client, folder).messages > 0)
    end
    other:close()
    client:close()
  end)

  it('cancels a fetch, and the connection stays of use', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 400 })
    local client = open(server)
    local count, got = 0, nil
    local handle
    handle = client:fetch('INBOX', '1:*', { 'body' }, function()
      count = count + 1
      if count == 1 then
        assert.is_true(handle:cancel())
      end
    end, function(err)
      got = err or 'none'
    end)
    child.wait_for(function()
      return got
    end, 10000, 'the callback')
    assert.equal('cancelled', got.code)
    assert.is_true(count < 400)
    assert.equal(400, result(client.status, client, 'INBOX').messages)
    client:close()
  end)

  it('fetches on after a lost connection, no message twice', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 300 })
    local proxy = servers.proxy({ to = server.tls_port })
    local client = open(server, { port = proxy.port })
    proxy:ask({ ['do'] = 'set', mbit = 20 })
    local seen, count, done, failed = {}, 0, nil, nil
    client:fetch('INBOX', '1:*', { 'size', 'body' }, function(m)
      assert(not seen[m.uid], 'twice')
      assert(#m.body == m.size, 'a truncated body')
      seen[m.uid] = true
      count = count + 1
      if count == 50 then
        proxy:ask({ ['do'] = 'harm', harm = 'cut' })
      end
    end, function(err)
      done, failed = true, err
    end)
    child.wait_for(function()
      return done
    end, 20000, 'the fetch')
    assert.is_nil(failed)
    assert.equal(300, count)
    assert.is_true(client:stats().connections_opened >= 2)
    client:close()
  end)

  it('watches on after a lost connection and tells what came meanwhile', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 3 })
    local proxy = servers.proxy({ to = server.tls_port })
    local client = open(server, { port = proxy.port })
    local newest
    client:watch('INBOX', function(change)
      newest = change.exists or newest
    end)
    child.wait_for(function()
      return client:stats().mode ~= 'none'
    end, 10000, 'the watch to begin')
    proxy:ask({ ['do'] = 'set', new = 'refuse' })
    proxy:ask({ ['do'] = 'harm', harm = 'cut' })
    server:ask({ ['do'] = 'deliver', user = 'home', count = 2 })
    proxy:ask({ ['do'] = 'set', new = 'pass' })
    child.wait_for(function()
      return newest == 5
    end, 20000, 'news from before the new connection')
    client:close()
  end)

  it('watches and works elsewhere where the server allows one connection', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 3, max_connections = 1 })
    server:ask({ ['do'] = 'deliver', user = 'home', folder = 'Archive', count = 4 })
    local client = open(server)
    local newest
    client:watch('INBOX', function(change)
      newest = change.exists or newest
    end)
    child.wait_for(function()
      return client:stats().mode ~= 'none'
    end, 10000, 'the watch to begin')
    for expected = 4, 6 do
      local err, messages = fetch(client, 'Archive', '1:*', { 'envelope' })
      assert.is_nil(err)
      assert.equal(4, #messages)
      server:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
      child.wait_for(function()
        return newest == expected
      end, 20000, 'news of the watched folder')
    end
    assert.equal(1, client:stats().connections)
    client:close()
  end)

  it('gives up a server that never answers, within the timeout', function()
    local server = servers.dovecot({ users = { 'home' } })
    local proxy = servers.proxy({ to = server.tls_port })
    proxy:ask({ ['do'] = 'set', new = 'silent' })
    local began = vim.uv.hrtime()
    local err = await(imap.open, server:imap('home', { port = proxy.port, network_timeout = 1 }))
    assert.equal('timeout', err.code)
    assert.is_true((vim.uv.hrtime() - began) / 1e9 < child.limit(5))
  end)

  it('reaches the first reply to a FETCH in five round trips', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 5, mechanisms = 'plain' })
    local client = open(server)
    local trips
    client:fetch('INBOX', '1:*', { 'envelope' }, function()
      trips = trips or client:stats().round_trips
    end, function() end)
    child.wait_for(function()
      return trips
    end, 10000, 'the first message')
    assert.is_true(trips <= 5, 'took ' .. trips)
    client:close()
  end)

  it('asks whether a folder changed in one round trip', function()
    local server = servers.dovecot({ users = { 'home' }, messages = 5 })
    local client = open(server)
    result(client.status, client, 'INBOX')
    local before = client:stats().round_trips
    result(client.status, client, 'INBOX')
    assert.equal(1, client:stats().round_trips - before)
    client:close()
  end)

  it('decodes subject and names of an envelope, whatever the charset', function()
    local server = servers.dovecot({ users = { 'home' } })
    local client = open(server)
    local headers = {
      { '=?utf-8?q?caf=C3=A9?=', 'café' },
      { '=?koi8-r?b?8NLJ18XU?=', 'Привет' },
      { '=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=', '日本' },
      { 'plain', 'plain' },
      { '=?iso-8859-1?q?na=EFve?= and =?windows-1251?q?=EF=F0?=', 'naïve and пр' },
      { 'Gr\252\223e', 'Grüße' },
    }
    for _, header in ipairs(headers) do
      local name = header[1]:gsub('[\128-\255]', '?')
      local text = ('From: %s <mary@example.org>\r\nSubject: %s\r\n\r\nx\r\n'):format(name, header[1])
      result(client.append, client, 'INBOX', text, {})
    end
    local err, messages, summary = fetch(client, 'INBOX', '1:*', { 'envelope' })
    assert.is_nil(err)
    assert.equal(#headers, summary.messages)
    assert.equal(#headers, #messages)
    for _, message in ipairs(messages) do
      assert.equal(headers[message.uid][2], message.envelope.subject)
      if message.uid < 6 then
        assert.equal(headers[message.uid][2], message.envelope.from[1].name)
      end
    end
    client:close()
  end)

  it('stores a large message over a slow line, longer than it would wait for an answer', function()
    local server = servers.dovecot({ users = { 'home' } })
    local proxy = servers.proxy({ to = server.tls_port, mbit = 2 })
    local client = open(server, { port = proxy.port, network_timeout = 4 })
    local text = 'Subject: large\r\n\r\n' .. ('0123456789abcdef\r\n'):rep(100000)
    assert.equal(1, result(client.append, client, 'INBOX', text, {}).uid)
    proxy:ask({ ['do'] = 'set', mbit = 1000 })
    local err, messages = fetch(client, 'INBOX', '1:*', { 'size' })
    assert.is_nil(err)
    assert.equal(#text, messages[1].size)
    client:close()
  end)

  it('puts a large body into a file', function()
    local server = servers.dovecot({ users = { 'home' } })
    local client = open(server)
    local text = 'Subject: large\r\n\r\n' .. ('0123456789abcdef'):rep(64, '\r\n'):rep(1024, '\r\n') .. '\r\n'
    result(client.append, client, 'INBOX', text, {})
    local err, messages = fetch(client, 'INBOX', '1:*', { 'body' })
    assert.is_nil(err)
    assert.equal(#text, messages[1].body_size)
    assert.equal(#text, vim.uv.fs_stat(messages[1].body_file).size)
    vim.uv.fs_unlink(messages[1].body_file)
    err, messages = fetch(client, 'INBOX', '1:*', { 'part:1' })
    assert.is_nil(err)
    assert.equal(messages[1].body_size, vim.uv.fs_stat(messages[1].body_file).size)
    vim.uv.fs_unlink(messages[1].body_file)
    client:close()
  end)
end)
