-- Pages of large folders, asked for while a first sync writes into the same store.
local world = require('tests.bench.sync.world')
local M = {}

M.SMALL = 'mail.list of any page of a 50,000-message folder, while a first sync runs'
M.LARGE = 'the same of 500,000 rows'

M.figures = {
  {
    name = M.SMALL,
    asked = 'under 5 ms at p99',
    how = 'pages of 50 by random number, and the one after each by cursor, one at a time, from the call to the\n'
      .. 'callback; the store holds both folders, and the inbox of 50,000 messages comes in meanwhile.',
  },
  { name = M.LARGE, asked = 'under 8 ms at p99', how = 'the same, in turns with the other folder.' },
}

local MEASURED = [[
  local _, pages = ...
  local took = { Sent = {}, Archive = {} }
  local over, seconds, problem = false, 0, nil
  local began = now()
  manager.start_sync('inbox', {}, function(err)
    over, seconds, problem = true, (now() - began) / 1e9, err and err.message
  end)
  math.randomseed(7)
  local function ask(folder, opts, next)
    local at = now()
    mail.list('home', folder, opts, function(err, page)
      table.insert(took[folder], (now() - at) / 1e6)
      assert(not err and #page.items == 50, err and err.message or #page.items)
      next(page)
    end)
  end
  -- One at a time, as somebody asks who reads; each folder in its turn.
  local function round(folder, other)
    if over then
      return finish(path, { took = took, seconds = seconds, err = problem })
    end
    ask(folder, { page = math.random(pages[folder] - 2), page_size = 50 }, function(page)
      ask(folder, { after = page.next, page_size = 50 }, function()
        vim.defer_fn(function() round(other, folder) end, 3)
      end)
    end)
  end
  vim.defer_fn(function() round('Sent', 'Archive') end, 300)
]]

function M.run(tools, report)
  local count = world.messages
  local server =
    world.servers.dovecot({ users = { 'home' }, messages = count, warm = true, mechanisms = 'plain' })
  local child = world.neovim(tools, { home = { imap = server:imap('home') } })
  tools.run({
    tools.program('store_maker'),
    world.store_of(child, 'home'),
    ('Archive=%d'):format(count * 10),
    ('Sent=%d'):format(count),
  })
  local got = child.measure(MEASURED, { Archive = count * 10 / 50, Sent = count / 50 })
  assert(not got.err, got.err)
  child.stop()
  local function tell(name, took, most)
    local p99 = tools.percentile(took, 99)
    report(name, {
      measured = ('%.1f ms (median %.1f, %d lists)'):format(p99, tools.median(took), #took),
      met = p99 < most,
      value = p99,
    })
  end
  tell(M.SMALL, got.took.Sent, 5)
  tell(M.LARGE, got.took.Archive, 8)
  world.servers.stop()
end

return M
