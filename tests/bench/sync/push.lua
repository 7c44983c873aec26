-- From the server's word of new mail to the row and the event, 20 ms away.
local world = require('tests.bench.sync.world')
local M = {}

M.PUSH = 'EXISTS at the proxy, 20 ms away, to row committed and HimalayaNewMail'

M.figures = {
  {
    name = M.PUSH,
    asked = 'median under 90 ms',
    how = 'the proxy ends TLS and notes when the line passed it; HimalayaNewMail comes after the commit,\n'
      .. 'and its ids are listed; both clocks are uv_hrtime; 15 messages, one at a time.',
  },
}

local PREPARE = [[
  heard = {}
  vim.api.nvim_create_autocmd('User', { pattern = 'HimalayaNewMail', callback = function(event)
    local at = now()
    mail.list('home', 'INBOX', { page_size = 5 }, function(err, page)
      for _, item in ipairs(page.items) do
        if item.id == event.data.ids[1] then heard[#heard + 1] = at end
      end
    end)
  end })
]]

function M.run(tools, report)
  local server =
    world.servers.dovecot({ users = { 'home' }, messages = 500, warm = true, mechanisms = 'plain' })
  local proxy = world.servers.proxy({
    to = server.port,
    delay = 20,
    certificate = server.certificate,
    key = server.key,
  })
  local child = world.neovim(tools, { home = { imap = server:imap('home', { port = proxy.port }) } })
  child.lua(PREPARE)
  child.sync('full')
  child.lua('manager.start_auto_sync()')
  world.until_quiet({ proxy })
  proxy:ask({ ['do'] = 'watch', lines = { ' EXISTS' } })
  local waits = {}
  for i = 1, math.max(tools.runs, 15) do
    proxy:ask({ ['do'] = 'forget' })
    server:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
    child.wait_for(('return #heard >= %d'):format(i), 10000)
    local lines = proxy:ask({ ['do'] = 'report' }).lines
    waits[i] = (child.lua('return heard[...]', i) - lines[1].at) / 1e6
    world.until_quiet({ proxy })
  end
  child.stop()
  local median = tools.median(waits)
  tools.note('push: ' .. vim.json.encode(waits))
  report(M.PUSH, { measured = ('%.0f ms'):format(median), met = median < 90, value = median })
  world.servers.stop()
end

return M
