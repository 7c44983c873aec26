-- The IMAP client under load: four accounts at once behind one line, and messages far larger than anything it holds.
local M = { about = 'four accounts at once at 100 Mbit/s, and the memory that 25 MB literals take' }

local GAPS = "gaps of the loop's 1 ms timer, four accounts at once"
local TURN = 'the longest turn of our own code, four accounts at once'
local MEMORY = 'memory growth while 25 MB literals stream'

M.figures = {
  {
    name = GAPS,
    asked = 'p99 at most 1 ms over idle',
    how = 'four clients fetch envelopes and then bodies through one proxy of 100 Mbit/s;\n'
      .. 'the same timer in the same Neovim before it, for as long, is idle.',
  },
  { name = TURN, asked = '2 ms of thread CPU time', how = 'himalaya.metrics().loop of the same Neovim.' },
  {
    name = MEMORY,
    asked = 'under 8 MB',
    how = "eight messages of 25 MB into files; the most that Neovim's resident memory\n"
      .. 'grew, looked at every 2 ms, after a first small one.',
  },
}

local ACCOUNTS = { 'home', 'office', 'club', 'school' }
local LARGE = 25 * 1024 * 1024

-- In the child: `gaps_of(run, done)` times a 1 ms timer from now until run's callback.
local GAPS_OF = [[
  function gaps_of(run, done)
    local gaps, last = {}, vim.uv.hrtime()
    local timer = vim.uv.new_timer()
    timer:start(1, 1, function()
      local now = vim.uv.hrtime()
      gaps[#gaps + 1] = (now - last) / 1e6
      last = now
    end)
    run(function(failed)
      timer:close()
      done({ gaps = gaps, failed = failed })
    end)
  end
]]

local IDLE = [[
  local done, ms = ...
  gaps_of(function(over) vim.defer_fn(function() over(false) end, ms) end, done)
]]

local OPEN = [[
  local done, accounts = ...
  clients = {}
  local left = #accounts
  for i, opts in ipairs(accounts) do
    require('himalaya.imap').open(opts, function(err, client)
      clients[i] = client
      left = left - 1
      if err or left == 0 then done(err and err.message or false) end
    end)
  end
]]

local BUSY = [[
  local done = ...
  local native = require('himalaya.native')
  native.loop.reset_metrics()
  local began, count = vim.uv.hrtime(), 0
  gaps_of(function(over)
    local left, failed = #clients, false
    for _, client in ipairs(clients) do
      local function ended(err)
        failed = failed or err and err.message or false
        left = left - 1
        if left == 0 then over(failed) end
      end
      client:fetch('INBOX', '1:*', { 'flags', 'envelope' }, function() count = count + 1 end, function(err)
        if err then return ended(err) end
        client:fetch('INBOX', '1:*', { 'body' }, function() count = count + 1 end, ended)
      end)
    end
  end, function(got)
    got.count, got.seconds = count, (vim.uv.hrtime() - began) / 1e9
    local loop = native.loop.metrics()
    got.longest, got.who = loop.longest_turn_ms, loop.longest.what or loop.longest.room
    done(got)
  end)
]]

local LARGE_ONES = [[
  local done, uids = ...
  local function one(uid, over)
    clients[1]:fetch('INBOX', uid, { 'body' }, function(m)
      size = m.body_size or #m.body
      if m.body_file then vim.uv.fs_unlink(m.body_file, function() end) end
    end, over)
  end
  one(uids[1], function(err)
    if err then return done({ failed = err.message }) end
    collectgarbage()
    local before, most = vim.uv.resident_set_memory(), 0
    local timer = vim.uv.new_timer()
    timer:start(0, 2, function() most = math.max(most, vim.uv.resident_set_memory()) end)
    local bytes, at = 0, 1
    local function following(failed)
      at = at + 1
      if failed or not uids[at] then
        timer:close()
        return done({ failed = failed and failed.message or false, grew = (most - before) / 2 ^ 20, bytes = bytes })
      end
      one(uids[at], function(problem)
        bytes = bytes + size
        following(problem)
      end)
    end
    following()
  end)
]]

local function four_accounts(tools, report, servers)
  local count = tonumber(vim.env.HIMALAYA_BENCH_MESSAGES or '') or 5000
  local server = servers.dovecot({ users = ACCOUNTS, messages = count, warm = true, mechanisms = 'plain' })
  local line = servers.proxy({ to = server.tls_port, mbit = 100 })
  local accounts = {}
  for i, name in ipairs(ACCOUNTS) do
    accounts[i] = server:imap(name, { port = line.port })
  end
  local idle, busy, over, longest, who = {}, {}, {}, 0, ''
  for i = 1, tools.runs do
    local child = tools.child()
    child.lua(GAPS_OF)
    assert(not child.await(OPEN, accounts))
    local before = child.await(IDLE, 2000)
    local got = child.await(BUSY)
    child.stop()
    assert(not got.failed, got.failed)
    assert(got.count == 2 * #ACCOUNTS * count, ('%d messages came'):format(got.count))
    idle[i], busy[i] = tools.percentile(before.gaps, 99), tools.percentile(got.gaps, 99)
    over[i] = busy[i] - idle[i]
    if got.longest > longest then
      longest, who = got.longest, got.who
    end
  end
  servers.stop()
  local median = tools.median(over)
  report(GAPS, {
    measured = ('p99 %.1f ms, %.1f ms over idle'):format(tools.median(busy), median),
    peer = ('idle %.1f ms'):format(tools.median(idle)),
    met = median <= 1,
    value = median,
  })
  report(TURN, { measured = ('%.2f ms'):format(longest), peer = who, met = longest <= 2, value = longest })
end

local function large_literals(tools, report, servers)
  local server = servers.dovecot({ users = { 'home' }, messages = 0, mechanisms = 'plain' })
  local text = ('A line of a very large message, one of very many of its kind.\n'):rep(LARGE / 63 + 1)
  for i = 1, 9 do
    server:ask({
      ['do'] = 'deliver',
      user = 'home',
      message = 'From: mary@example.org\nSubject: large\n\n' .. (i == 1 and 'small' or text),
    })
  end
  local grew = tools.each_run(function()
    local child = tools.child()
    assert(not child.await(OPEN, { server:imap('home') }))
    local got = child.await(LARGE_ONES, { 1, 2, 3, 4, 5, 6, 7, 8, 9 })
    child.stop()
    assert(not got.failed, got.failed)
    assert(got.bytes >= 8 * LARGE, ('%d bytes came'):format(got.bytes))
    return got.grew
  end)
  servers.stop()
  local most = tools.percentile(grew, 100)
  report(MEMORY, { measured = ('%.1f MB'):format(most), met = most < 8, value = most })
end

function M.run(tools, report)
  local servers = require('tests.servers')
  four_accounts(tools, report, servers)
  large_literals(tools, report, servers)
end

return M
