-- The newest page of a large mailbox that this Neovim has never seen, over a line of 40 ms.
local world = require('tests.bench.sync.world')
local M = {}

M.PAGE = 'newest page listed after the start of that first sync, 40 ms round trip'

M.figures = {
  {
    name = M.PAGE,
    asked = 'under 400 ms',
    how = 'from start_sync("full") in a Neovim without a store to a mail.list of 50 rows; asked again every 2 ms.\n'
      .. 'Resolving, TCP, TLS and the login are in it; the median of as many Neovims.',
  },
}

local MEASURED = [[
  local began = now()
  manager.start_sync('full', {}, function() end)
  local function look()
    mail.list('home', 'INBOX', { page_size = 50 }, function(err, page)
      if not err and #page.items == 50 then
        return finish(path, { ms = (now() - began) / 1e6 })
      end
      vim.defer_fn(look, 2)
    end)
  end
  look()
]]

function M.run(tools, report)
  local server = world.servers.dovecot({
    users = { 'home' },
    messages = world.messages,
    warm = true,
    mechanisms = 'plain',
  })
  local proxy = world.servers.proxy({ to = server.tls_port, delay = 20 })
  local waits = tools.each_run(function()
    local child = world.neovim(tools, { home = { imap = server:imap('home', { port = proxy.port }) } })
    local ms = child.measure(MEASURED).ms
    child.stop()
    return ms
  end)
  local ms = tools.median(waits)
  tools.note('page: ' .. vim.json.encode(waits))
  report(M.PAGE, { measured = ('%.0f ms'):format(ms), met = ms < 400, value = ms })
  world.servers.stop()
end

return M
