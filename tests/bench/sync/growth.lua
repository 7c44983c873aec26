-- Whether a message costs the same in a large mailbox as in a small one.
local world = require('tests.bench.sync.world')
local M = {}

M.GROWTH = 'time per message of a first sync, 200,000 messages against 10,000'

M.figures = {
  {
    name = M.GROWTH,
    asked = 'within 20%',
    how = 'fresh Neovims, mailboxes four times and a fifth of the large one, raw_reader and ours in turns after a\n'
      .. 'first raw read that is thrown away; the time of a first sync of 100 messages is taken off as set-up;\n'
      .. 'three runs of the small ones, two of the large, medians.',
  },
}

local ITEMS = 'UID FLAGS INTERNALDATE ENVELOPE BODY.PEEK[]'

-- Ours and the raw reader's.
local function seconds(tools, messages, runs)
  local server =
    world.servers.dovecot({ users = { 'home' }, messages = messages, warm = true, mechanisms = 'plain' })
  local times, raw = {}, {}
  world.raw(tools, server, 'home', ITEMS)
  for i = 1, runs do
    raw[i] = world.raw(tools, server, 'home', ITEMS).seconds
    local child = world.neovim(tools, { home = { imap = server:imap('home') } })
    local got = child.sync('full')
    assert(got.accounts.home.new == messages)
    times[i] = got.seconds
    child.stop()
  end
  world.servers.stop()
  return tools.median(times), tools.median(raw)
end

function M.run(tools, report)
  local small, large = world.messages / 5, world.messages * 4
  local setup, raw_setup = seconds(tools, 100, 3)
  local of_small, raw_small = seconds(tools, small, 3)
  local of_large, raw_large = seconds(tools, large, 2)
  of_small, raw_small = (of_small - setup) / small, (raw_small - raw_setup) / small
  of_large, raw_large = (of_large - setup) / large, (raw_large - raw_setup) / large
  local ratio = of_large / of_small
  report(M.GROWTH, {
    measured = ('%+.0f%% (%.0f and %.0f us a message, set-up %.0f ms)'):format(
      100 * (ratio - 1),
      of_small * 1e6,
      of_large * 1e6,
      setup * 1000
    ),
    peer = ('raw %+.0f%% (%.0f and %.0f us)'):format(
      100 * (raw_large / raw_small - 1),
      raw_small * 1e6,
      raw_large * 1e6
    ),
    met = ratio <= 1.2,
    value = ratio,
  })
end

return M
