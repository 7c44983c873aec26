-- Four accounts without changes over lines of 40 ms: in a Neovim that knows them, in a fresh one, and after a pause.
local world = require('tests.bench.sync.world')
local M = {}

M.WARM = 'no change, four accounts, 40 ms round trip: warm'
M.COLD = 'the same, cold'
M.LATER = 'the same, the clock moved by 900 s between'

M.figures = {
  {
    name = M.WARM,
    asked = 'under 60 ms, 1 round trip each, no connection opened',
    how = 'start_sync("full") to its callback with push open; round trips and connections as each proxy counts\n'
      .. 'them; the median time and the most trips of any account.',
  },
  {
    name = M.COLD,
    asked = 'under 350 ms',
    how = 'a fresh Neovim on the stores that are there: from start_sync("full") to its callback; TLS and logins\n'
      .. 'are in it. mbsync: four runs without changes one after the other, as it does its channels.',
  },
  {
    name = M.LATER,
    asked = '0 logins',
    how = 'every clock of the Neovim jumps ahead, its timers fire, then start_sync("full"); connections that the\n'
      .. 'proxies saw.',
  },
}

local USERS = { 'home', 'office', 'club', 'school' }

function M.run(tools, report)
  local server = world.servers.dovecot({ users = USERS, messages = 500, warm = true, mechanisms = 'plain' })
  local proxies, accounts = {}, {}
  for i, user in ipairs(USERS) do
    proxies[i] = world.servers.proxy({ to = server.tls_port, delay = 20 })
    accounts[user] = { imap = server:imap(user, { port = proxies[i].port }) }
  end
  local function forget()
    for _, proxy in ipairs(proxies) do
      proxy:ask({ ['do'] = 'forget' })
    end
  end
  local function on_the_wires()
    local trips, opened = 0, 0
    for _, proxy in ipairs(proxies) do
      local sums = world.on_the_wire(proxy)
      trips = math.max(trips, sums.round_trips)
      opened = opened + sums.connections
    end
    return trips, opened
  end

  local dir = vim.fn.tempname()
  local child = world.neovim(tools, accounts, { witness = true, dir = dir })
  child.sync('full')
  child.lua('manager.start_auto_sync()')
  world.until_quiet(proxies)
  local times, most, opened = {}, 0, 0
  for i = 1, math.max(tools.runs, 5) do
    forget()
    local got = child.sync('full')
    local trips = on_the_wires()
    times[i], most = got.seconds * 1000, math.max(most, trips)
    for _, account in pairs(got.accounts) do
      opened = opened + account.connections_opened
    end
    world.until_quiet(proxies)
  end
  local ms = tools.median(times)
  tools.note('quiet, warm: ' .. vim.json.encode(times))
  report(M.WARM, {
    measured = ('%.0f ms, %d, %d opened'):format(ms, most, opened),
    met = ms < 60 and most <= 1 and opened == 0,
    value = ms,
  })

  forget()
  child.witness.move_clock(900)
  vim.wait(6000) -- the pool looks after its idle connections every five seconds
  world.until_quiet(proxies)
  local later = child.sync('full')
  local fresh = 0
  for _, account in pairs(later.accounts) do
    fresh = fresh + account.connections_opened
  end
  local _, seen = on_the_wires()
  tools.note(('quiet, later: %.0f ms, %d connections on the wire'):format(later.seconds * 1000, seen))
  report(M.LATER, { measured = ('%d logins'):format(fresh), met = fresh == 0, value = fresh })
  child.stop()

  times = tools.each_run(function()
    local cold = world.neovim(tools, accounts, { dir = dir })
    local took = cold.sync('full').seconds * 1000
    cold.stop()
    return took
  end)
  tools.note('quiet, cold: ' .. vim.json.encode(times))
  ms = tools.median(times)
  local peer = 0
  for i, user in ipairs(USERS) do
    peer = peer + world.mbsync(tools, server, user, { port = proxies[i].port, again = true }).again_seconds
  end
  report(M.COLD, {
    measured = ('%.0f ms'):format(ms),
    peer = ('mbsync %.0f ms'):format(peer * 1000),
    met = ms < 350,
    value = ms,
    peer_value = peer * 1000,
  })
  vim.fn.delete(dir, 'rf')
  world.servers.stop()
end

return M
