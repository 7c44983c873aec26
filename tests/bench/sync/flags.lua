-- A thousand changes of flags made here, of four kinds and one call each, carried to the server.
local world = require('tests.bench.sync.world')
local M = {}

M.FLAGS = '1,000 flag changes made locally, to the server'

M.figures = {
  {
    name = M.FLAGS,
    asked = 'at most 3 round trips',
    how = 'mail.flag() 1,000 times, four kinds of change in turns, then start_sync("inbox") on a warm connection:\n'
      .. 'all that the proxy saw until its callback, the look for news included. The server is asked afterwards\n'
      .. 'whether it has them.',
  },
}

local CHANGES = 1000

local ACT = [[
  mail.list('home', 'INBOX', { page_size = 1000 }, function(err, page)
    assert(not err, err and err.message)
    local kinds = { { add = { 'todo' } }, { add = { 'later' } }, { add = { 'plan' } }, { add = { 'again' } } }
    local left = #page.items
    for i, item in ipairs(page.items) do
      mail.flag('home', 'INBOX', { item.id }, kinds[i % 4 + 1], function(problem)
        assert(not problem, problem and problem.message)
        left = left - 1
        if left == 0 then finish(path, { count = #page.items }) end
      end)
    end
  end)
]]

function M.run(tools, report)
  local server =
    world.servers.dovecot({ users = { 'home' }, messages = CHANGES, warm = true, mechanisms = 'plain' })
  local proxy = world.servers.proxy({ to = server.tls_port, delay = 20 })
  local child = world.neovim(tools, { home = { imap = server:imap('home', { port = proxy.port }) } })
  child.sync('full')
  child.sync('inbox')
  assert(child.measure(ACT).count == CHANGES)
  world.until_quiet({ proxy })
  proxy:ask({ ['do'] = 'forget' })
  local got = child.sync('inbox')
  local trips = world.on_the_wire(proxy).round_trips
  assert(got.accounts.home.uploaded == CHANGES, vim.inspect(got))
  local out = server:ask({
    ['do'] = 'doveadm',
    args = { 'search', '-u', 'home', 'mailbox', 'INBOX', 'keyword', 'todo' },
  }).out
  local there = select(2, out:gsub('\n', '\n'))
  assert(there == CHANGES / 4, ('%d of %d are on the server'):format(there, CHANGES / 4))
  child.stop()
  report(M.FLAGS, {
    measured = ('%d, %.0f ms'):format(trips, got.seconds * 1000),
    met = trips <= 3,
    value = trips,
  })
  world.servers.stop()
end

return M
