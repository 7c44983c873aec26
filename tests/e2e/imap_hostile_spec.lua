-- himalaya.imap against what cannot end well (tests/servers/vendors/quirks.py): the right error, in time, with bounded
-- memory, and nothing believed that was said before TLS.
-- needs python3
local child = require('tests.child')
local servers = require('tests.servers')
local imap = require('himalaya.imap')
local support = require('tests.imap_support')
local await = support.await

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

describe('the client and the hostile server', function()
  local server

  setup(function()
    server = servers.vendor('hostile', { messages = 12 })
  end)
  teardown(servers.stop)

  for quirk, codes in pairs(HARMFUL) do
    it(quirk, function()
      server:ask({ ['do'] = 'quirk', on = { quirk } })
      local memory = vim.uv.resident_set_memory()
      local began = vim.uv.hrtime()
      local err = support.day(server)
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
    local err = support.day(server)
    server:ask({ ['do'] = 'quirk', off = { 'deep-nesting' } })
    assert.is_true(err == nil or err.code == 'protocol', err and err.message)
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
