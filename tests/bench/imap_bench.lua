-- The IMAP client against the wire itself and against imapflow, all on one Dovecot on this machine.
local M = { about = 'himalaya.imap against raw reads and imapflow, on a Dovecot on loopback' }

local ENVELOPES = '50,000 envelopes over TLS into Lua tables'
local FASTER = '50,000 envelopes against imapflow'
local BODIES = '50,000 bodies to a counting sink'
local GAPS = "gaps of the loop's 1 ms timer during both"
local TURN = 'the longest turn of our own code during both'
local TRIPS = 'round trips from connect to the first FETCH reply'
local WARM = 'round trips of a warm no-change check'
local PUSH = 'EXISTS at the proxy to on_change, 20 ms away'

M.figures = {
  {
    name = ENVELOPES,
    asked = 'at most 2x the raw read',
    how = 'raw_reader and we in turns, each on a connection of\n'
      .. 'its own after login and SELECT; a first raw read is thrown away; medians.',
  },
  { name = FASTER, asked = 'at least 5x faster', how = 'the same turns, imapflow from npm as the third.' },
  {
    name = BODIES,
    asked = 'at most 1.1x the raw read',
    how = 'BODY.PEEK[] of every message, its length counted.',
  },
  {
    name = GAPS,
    asked = 'p99 under 6 ms, p99.9 under 16 ms',
    how = 'a uv timer of 1 ms in the same Neovim.',
  },
  { name = TURN, asked = '2 ms of thread CPU time', how = 'himalaya.metrics().loop of the same Neovim.' },
  { name = TRIPS, asked = '5 or fewer', how = 'PLAIN with SASL-IR; counted by the proxy on the wire.' },
  { name = WARM, asked = '1', how = 'client:status() a second time; counted by the proxy.' },
  {
    name = PUSH,
    asked = 'median under 30 ms',
    how = 'the proxy ends TLS and notes when the line passed it;\n' .. 'both clocks are uv_hrtime.',
  },
}

-- In the child: one fetch, timed from its call to its callback; `open` keeps the client for the next one.
local CHILD = [[
  local done, items = ...
  local uv = vim.uv
  local gaps, last = {}, uv.hrtime()
  local timer = uv.new_timer()
  timer:start(1, 1, function()
    local now = uv.hrtime()
    gaps[#gaps + 1] = (now - last) / 1e6
    last = now
  end)
  local native = require('himalaya.native')
  native.loop.reset_metrics()
  local began, messages, bytes = uv.hrtime(), 0, 0
  client:fetch('INBOX', '1:*', items, function(m)
    messages = messages + 1
    bytes = bytes + (m.body and #m.body or m.body_size or 0)
  end, function(err)
    local seconds = (uv.hrtime() - began) / 1e9
    timer:stop()
    timer:close()
    done({ err = err and err.message, seconds = seconds, messages = messages, bytes = bytes, gaps = gaps,
      longest = native.loop.metrics().longest_turn_ms })
  end)
]]

local function open(child, opts)
  local failed = child.await(
    [[
    local done, opts = ...
    require('himalaya.imap').open(opts, function(err, opened)
      client = opened
      done(err and err.message or false)
    end)
  ]],
    opts
  )
  assert(not failed, failed)
end

function M.run(tools, report)
  local servers = require('tests.servers')
  local count = tonumber(vim.env.HIMALAYA_BENCH_MESSAGES or '') or 50000
  local server = servers.dovecot({ users = { 'home' }, messages = count, warm = true, mechanisms = 'plain' })
  local account = server:imap('home')
  local modules = tools.npm('imapflow', '1.0.171')

  local function raw(command)
    return tools.raw(server, 'home', command).seconds
  end
  local function peer(what)
    local asked = {
      host = '127.0.0.1',
      port = server.tls_port,
      ca_file = server.ca_file,
      user = 'home',
      password = server.users.home.password,
      what = what,
    }
    local out = tools.run(
      { 'node', 'tests/bench/peers/imapflow.mjs', modules },
      { stdin = vim.json.encode(asked) }
    )
    return vim.json.decode(out).seconds
  end

  local gaps, longest = {}, 0
  local function ours(items)
    local child = tools.child()
    open(child, account)
    local got = child.await(CHILD, items)
    assert(not got.err, got.err)
    assert(got.messages == count, ('%d messages of %d came'):format(got.messages, count))
    vim.list_extend(gaps, got.gaps)
    longest = math.max(longest, got.longest)
    child.stop()
    return got.seconds
  end

  local function in_turns(command, items, what)
    raw(command)
    local wire, flow, mine = {}, {}, {}
    for i = 1, tools.runs do
      wire[i], flow[i], mine[i] = raw(command), what and peer(what) or 0, ours(items)
    end
    return tools.median(wire), tools.median(flow), tools.median(mine)
  end

  local wire, flow, mine = in_turns('UID FETCH 1:* (UID ENVELOPE)', { 'envelope' }, 'envelopes')
  report(ENVELOPES, {
    measured = ('%.2f s, %.2fx'):format(mine, mine / wire),
    peer = ('raw %.2f s'):format(wire),
    met = mine <= 2 * wire,
    value = mine,
    peer_value = wire,
  })
  report(FASTER, {
    measured = ('%.1fx'):format(flow / mine),
    peer = ('imapflow %.2f s'):format(flow),
    met = flow >= 5 * mine,
    value = mine,
    peer_value = flow,
  })
  local body_wire, _, body_mine = in_turns('UID FETCH 1:* (UID BODY.PEEK[])', { 'body' })
  wire, mine = body_wire, body_mine
  report(BODIES, {
    measured = ('%.2f s, %.2fx'):format(mine, mine / wire),
    peer = ('raw %.2f s'):format(wire),
    met = mine <= 1.1 * wire,
    value = mine,
    peer_value = wire,
  })
  local p99, p999 = tools.percentile(gaps, 99), tools.percentile(gaps, 99.9)
  report(
    GAPS,
    { measured = ('%.1f ms, %.1f ms'):format(p99, p999), met = p99 < 6 and p999 < 16, value = p99 }
  )
  report(TURN, { measured = ('%.2f ms'):format(longest), met = longest <= 2, value = longest })

  -- Round trips, as somebody on the wire counts them.
  local line = servers.proxy({ to = server.tls_port })
  local child = tools.child()
  open(child, vim.tbl_extend('force', account, { port = line.port }))
  child.await([[
    local done = ...
    client:fetch('INBOX', '1:5', { 'envelope' }, function() end, done)
  ]])
  local function trips()
    local sum = 0
    for _, connection in ipairs(line:ask({ ['do'] = 'report' }).connections) do
      sum = sum + connection.round_trips
    end
    return sum
  end
  local first = trips()
  report(TRIPS, { measured = tostring(first), met = first <= 5, value = first })
  local STATUS = "local done = ... client:status('INBOX', done)"
  child.await(STATUS)
  local before = trips()
  child.await(STATUS)
  report(
    WARM,
    { measured = tostring(trips() - before), met = trips() - before <= 1, value = trips() - before }
  )
  child.stop()

  -- Push: the proxy speaks TLS to us, so that it can read the line.
  line = servers.proxy({ to = server.port, delay = 20, certificate = server.certificate, key = server.key })
  child = tools.child()
  open(child, vim.tbl_extend('force', account, { port = line.port }))
  child.lua([[
    heard = {}
    client:watch('INBOX', function(change)
      if change.kind == 'messages' then heard[#heard + 1] = vim.uv.hrtime() end
    end)
  ]])
  child.wait_for([[return client:stats().mode ~= 'none']])
  line:ask({ ['do'] = 'watch', lines = { ' EXISTS' } })
  local waits = {}
  for i = 1, math.max(tools.runs, 5) do
    line:ask({ ['do'] = 'forget' })
    server:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
    child.wait_for(('return #heard >= %d'):format(i), 10000)
    local lines = line:ask({ ['do'] = 'report' }).lines
    waits[i] = (child.lua('return heard[...]', i) - lines[1].at) / 1e6
  end
  child.stop()
  local median = tools.median(waits)
  report(PUSH, { measured = ('%.1f ms'):format(median), met = median < 30, value = median })
  servers.stop()
end

return M
