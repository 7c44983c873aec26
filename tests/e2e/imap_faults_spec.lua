-- himalaya.imap over a line that breaks: cut after each command and at bytes all along an exchange, once each. The
-- connection that follows is sound, so every call must give its result or an error that says why, and no half message.
-- needs python3
local child = require('tests.child')
local servers = require('tests.servers')
local imap = require('himalaya.imap')
local support = require('tests.imap_support')
local await, fetch = support.await, support.fetch

local ENDS = { offline = true, timeout = true, protocol = true }

describe('the client whose line is cut', function()
  local server, proxy, bytes

  --- Logs in and fetches everything; errors must be honest, and what came must be whole.
  local function exchange(where)
    local err, client =
      await(imap.open, server:imap('home', { port = proxy.port, tls = 'none', network_timeout = 2 }))
    if err then
      assert.is_true(ENDS[err.code], ('%s: %s: %s'):format(where, err.code, err.message))
      return
    end
    local messages, seen
    err, messages = fetch(client, 'INBOX', '1:*', { 'size', 'body' })
    if err then
      assert.is_true(ENDS[err.code], ('%s: %s: %s'):format(where, err.code, err.message))
    else
      assert.equal(6, #messages, where)
    end
    seen = {}
    for _, m in ipairs(messages) do
      assert.is_nil(seen[m.uid], where .. ': a message came twice')
      assert.equal(m.size, #m.body, where)
      seen[m.uid] = true
    end
    client:close()
  end

  setup(function()
    server = servers.vendor('hostile', { messages = 6 })
    proxy = servers.proxy({ to = server.port })
    exchange('an unbroken line')
    bytes = proxy:ask({ ['do'] = 'report' }).bytes_down
  end)
  teardown(servers.stop)

  it('after each command', function()
    for command = 1, 8 do
      proxy:ask({ ['do'] = 'fault', harm = 'cut', command = command })
      exchange('cut after command ' .. command)
    end
  end)

  it('and that falls silent, here and there', function()
    local places = {}
    for i, share in ipairs({ 0, 0.1, 0.25, 0.4 }) do
      places[i] = math.floor(bytes * share)
    end
    if vim.env.HIMALAYA_SOAK then
      -- Up to where the last message begins: behind it a silence may come too late to matter.
      places = vim.fn.range(0, math.floor(bytes * 0.4), 41)
    end
    -- Long enough that no machine is silent for so long where the line is not.
    local patience = #places > 4 and 0.2 or 1
    for _, byte in ipairs(places) do
      -- It is tried once more after a silence, so both connections must fall silent.
      proxy:ask({ ['do'] = 'fault', harm = 'stall', byte = byte, times = 2 })
      local began = vim.uv.hrtime()
      local err, client =
        await(imap.open, server:imap('home', { port = proxy.port, tls = 'none', network_timeout = patience }))
      if not err then
        err = fetch(client, 'INBOX', '1:*', { 'size', 'body' })
        client:close()
      end
      local took = (vim.uv.hrtime() - began) / 1e9
      proxy:ask({ ['do'] = 'fault', harm = 'none' })
      assert.equal('timeout', err and err.code, 'silent from byte ' .. byte)
      assert.is_true(took < child.limit(5), ('%.1f s after silence from byte %d'):format(took, byte))
    end
  end)

  it('at bytes all along the exchange', function()
    local step = vim.env.HIMALAYA_SOAK and 1 or math.ceil(bytes / 60)
    for byte = 0, bytes, step do
      proxy:ask({ ['do'] = 'fault', harm = byte % 2 == 0 and 'cut' or 'reset', byte = byte })
      exchange('broken at byte ' .. byte)
    end
  end)
end)
