-- One account of 200 folders looked through without changes, with LIST-STATUS and without, over a line of 40 ms.
local world = require('tests.bench.sync.world')
local M = {}

M.TOLD = 'full no-change check of 200 folders, 40 ms round trip, LIST-STATUS'
M.ASKED = 'the same without LIST-STATUS'

M.figures = {
  {
    name = M.TOLD,
    asked = 'at most 3 round trips',
    how = 'start_sync("full") on a warm connection; counted by the proxy; the most of all runs.',
  },
  { name = M.ASKED, asked = 'under 500 ms', how = 'the same calls, the capability left out; the median.' },
}

local FOLDERS = 200

local function measure(tools, without)
  local server =
    world.servers.dovecot({ users = { 'home' }, messages = 20, mechanisms = 'plain', without = without })
  local names = {}
  for i = 1, FOLDERS do
    names[i] = ('Shelf %03d'):format(i)
  end
  server:ask({ ['do'] = 'doveadm', args = vim.list_extend({ 'mailbox', 'create', '-u', 'home' }, names) })
  for i = 1, FOLDERS, 10 do
    server:ask({ ['do'] = 'deliver', user = 'home', folder = names[i], count = 1 })
  end
  local proxy = world.servers.proxy({ to = server.tls_port, delay = 20 })
  local child = world.neovim(tools, { home = { imap = server:imap('home', { port = proxy.port }) } })
  child.sync('full')
  child.sync('full')
  local times, most = {}, 0
  for i = 1, tools.runs do
    proxy:ask({ ['do'] = 'forget' })
    local got = child.sync('full')
    assert(got.accounts.home.new + got.accounts.home.updated == 0, 'something changed')
    times[i], most = got.seconds * 1000, math.max(most, world.on_the_wire(proxy).round_trips)
  end
  child.stop()
  world.servers.stop()
  return tools.median(times), most
end

function M.run(tools, report)
  local ms, trips = measure(tools)
  report(M.TOLD, { measured = ('%d, %.0f ms'):format(trips, ms), met = trips <= 3, value = trips })
  ms, trips = measure(tools, { 'LIST-STATUS' })
  report(M.ASKED, { measured = ('%.0f ms, %d round trips'):format(ms, trips), met = ms < 500, value = ms })
end

return M
