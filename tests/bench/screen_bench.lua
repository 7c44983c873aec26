-- The screen: from the key to the complete picture, as somebody sees it who sits before it. A child Neovim has a screen
-- attached (tests/ui.lua) and its keys typed; the mailbox has 50,000 messages.
local M = { about = 'keys typed into a Neovim on a mailbox of 50,000 messages, from the key to the picture' }

local names = {
  first = '`:Himalaya` to the first list, Neovim just started',
  second = '`:Himalaya` to the list, the second time',
  page = 'next page',
  folder = 'next folder',
  message = 'opening a message of 100 KB that is here',
  typing = 'key to picture during a first sync',
  event = 'an event that changes 1 of 50 rows',
  startup = "Neovim's start with four accounts set up",
  after = 'what their sync then keeps the editor from',
  turns = 'the longest turn of our own code in all end-to-end tests',
  neomutt = 'neomutt opens the same mailbox',
}

local function figure(name, asked, how)
  return { row = name, name = names[name], asked = asked, how = how }
end

M.figures = {
  figure('first', 'under 50 ms', 'a fresh Neovim; from <CR> to the picture with the page; files in memory.'),
  figure('second', 'under 15 ms', 'the same after q.'),
  figure('page', 'under 8 ms', '<C-d> and <C-u>, from the key to the picture; median.'),
  figure('folder', 'under 8 ms', '<CR> on a folder of 200 in the sidebar that was not shown before; median.'),
  figure('message', 'under 15 ms', '<CR> on it, each time into a new buffer, to the picture with its text.'),
  figure('typing', 'p99 under 16 ms', 'the list is shown and fills; letters typed into a buffer beside it.'),
  figure(
    'event',
    '1 line set, under 1 ms',
    'another Neovim on the same store sets a star; CPU time of all our code\n'
      .. 'on the main thread until the line is set, and lines told to nvim_buf_attach.'
  ),
  figure('startup', 'at most +2 ms', '--startuptime with setup() and without the plugin, in turns; medians.'),
  figure(
    'after',
    'no gap over 16 ms in 99.9 %',
    "four accounts of 1,000 messages sync at once; gaps of the loop's 1 ms timer\n" .. 'until they are done.'
  ),
  figure(
    'turns',
    '4 ms, and 2 ms in 99.9 %',
    'every child Neovim of tests/e2e writes its loop metrics when it exits;\n'
      .. 'turns are those in which we did anything, times are CPU time.'
  ),
  figure(
    'neomutt',
    'beside',
    'its index of the Maildir that the server has, with a header cache the second time.'
  ),
}

function M.run(tools, report)
  local opening = require('tests.bench.screen.opening')
  local working = require('tests.bench.screen.working')
  local function part(fn, ...)
    for _, name in ipairs({ ... }) do
      if tools.wants(name) then
        fn(tools, names, report)
        break
      end
    end
    tools.clean_up()
  end
  part(opening.first_and_second, 'first', 'second')
  part(opening.pages, 'page')
  part(opening.folders, 'folder')
  part(opening.message, 'message')
  part(working.event, 'event')
  part(working.startup, 'startup')
  part(working.after, 'after')
  part(working.neomutt, 'neomutt')
  part(working.typing, 'typing')
  require('tests.servers').stop()
  part(working.turns, 'turns')
end

return M
