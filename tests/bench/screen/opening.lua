-- Rows of the screen's bench that are about opening: the list, a page, a folder, a message. Each is typed into a child
-- Neovim with a screen attached, and taken from the key to the complete picture.
local mailbox = require('tests.bench.screen.mailbox')
local ui_of = require('tests.ui')

local M = {}

local COLUMNS, LINES = 120, 40

--- What presses took: `add(ui.press(...))`, then medians of the milliseconds and of those that were computed, which
--- are the same on a machine that has other things to do.
local function times(tools)
  local took = { wall = {}, cpu = {} }
  function took.add(ms, computed)
    table.insert(took.wall, ms)
    table.insert(took.cpu, computed)
  end
  function took.median()
    return tools.median(took.wall)
  end
  function took.computed()
    return 'computed ' .. tools.ms(tools.median(took.cpu))
  end
  return took
end

--- A child with a copy of the store and a screen; `begin` types a command without its <CR>.
function M.start(tools, opts)
  local data, about = mailbox.store(tools, tools.messages)
  local child = tools.child({
    setup = vim.tbl_deep_extend('force', {
      accounts = { home = mailbox.offline('home') },
      data_dir = data,
      async = { enabled = false },
    }, opts or {}),
  })
  local ui = ui_of.attach(child, COLUMNS, LINES)
  local it = { child = child, ui = ui, about = about, data = data }

  --- Milliseconds from <CR> after a command to the picture, and those of them that were computed.
  function it.command(words, shown)
    ui.type(':' .. words)
    ui.wait_for(function()
      return ui.line(LINES) == ':' .. words
    end)
    return ui.press('<CR>', shown)
  end

  --- Whether the whole page of a folder is there: its title, its count and its last row in sight.
  function it.shows(folder, page)
    return function()
      return ui.find('- ' .. folder)
        and ui.find(('Page %d / '):format(page or 1))
        and ui.line(LINES - 3):find('%[ %] ')
    end
  end

  function it.stop()
    ui.close()
    child.stop()
    vim.fn.delete(data, 'rf')
  end
  return it
end

function M.first_and_second(tools, figures, report)
  local first, second, longest = times(tools), times(tools), {}
  -- One more, thrown away: the files come into memory.
  for i = 0, tools.runs do
    local it = M.start(tools)
    local cold, cold_computed = it.command('Himalaya', it.shows('INBOX'))
    it.ui.press('q', function()
      return not it.ui.find('INBOX')
    end)
    local warm, warm_computed = it.command('Himalaya', it.shows('INBOX'))
    if i > 0 then
      first.add(cold, cold_computed)
      second.add(warm, warm_computed)
      longest[i] = it.child.lua('return require("himalaya").metrics().loop.longest_turn_ms')
    end
    it.stop()
  end
  report(figures.first, {
    measured = tools.ms(first.median()),
    value = first.median(),
    met = first.median() < 50,
    peer = first.computed(),
    detail = first.wall,
  })
  report(figures.second, {
    measured = tools.ms(second.median()),
    value = second.median(),
    met = second.median() < 15,
    peer = ('%s; longest turn in both %s'):format(second.computed(), tools.ms(tools.median(longest))),
    detail = second.wall,
  })
end

function M.pages(tools, figures, report)
  local it = M.start(tools)
  it.command('Himalaya', it.shows('INBOX'))
  local pages = times(tools)
  local last = math.min(tools.runs * 4 + 1, math.floor(it.about.count / 50))
  for page = 2, last do
    pages.add(it.ui.press('<C-d>', it.shows('INBOX', page)))
  end
  for page = last - 1, 1, -1 do
    pages.add(it.ui.press('<C-u>', it.shows('INBOX', page)))
  end
  report(figures.page, {
    measured = tools.ms(pages.median()),
    value = pages.median(),
    met = pages.median() < 8,
    peer = ('%s; p99 of %d %s'):format(
      pages.computed(),
      #pages.wall,
      tools.ms(tools.percentile(pages.wall, 99))
    ),
    detail = pages.wall,
  })
  it.stop()
end

function M.folders(tools, figures, report)
  local new, again = times(tools), times(tools)
  for _ = 1, tools.runs do
    local it = M.start(tools)
    it.command('Himalaya', it.shows('INBOX'))
    it.ui.wait_for(function()
      return it.ui.find('Trash')
    end)
    -- From the sidebar, as it is done: the cursor on the folder, then <CR>.
    local function turn_to(folder, took)
      local row = assert(it.ui.find('    ' .. folder), folder .. ' is not in the sidebar')
      it.child.lua(function(line)
        require('himalaya.ui.screen').focus_sidebar()
        vim.api.nvim_win_set_cursor(0, { line, 0 })
      end, row)
      took.add(it.ui.press('<CR>', it.shows(folder)))
    end
    for _, took in ipairs({ new, again }) do
      for _, folder in ipairs(it.about.folders) do
        turn_to(folder, took)
      end
    end
    it.stop()
  end
  report(figures.folder, {
    measured = tools.ms(new.median()),
    value = new.median(),
    met = new.median() < 8,
    peer = ('%s; a folder seen before %s'):format(new.computed(), tools.ms(again.median())),
    detail = { new = new.wall, again = again.wall },
  })
end

function M.message(tools, figures, report)
  local first, later = times(tools), times(tools)
  for _ = 1, tools.runs do
    local it = M.start(tools)
    it.command('Himalaya', it.shows('INBOX'))
    local function open(took)
      took.add(it.ui.press('<CR>', function()
        return it.ui.find('Subject: ' .. it.about.long) and it.ui.find('Line 0 of a long letter')
      end))
    end
    open(first)
    for _ = 1, 4 do
      it.ui.press('q', it.shows('INBOX'))
      it.child.lua(function()
        for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
          if vim.api.nvim_buf_get_name(buffer):find('?m=', 1, true) then
            vim.api.nvim_buf_delete(buffer, { force = true })
          end
        end
      end)
      open(later)
    end
    it.stop()
  end
  report(figures.message, {
    measured = tools.ms(later.median()),
    value = later.median(),
    met = later.median() < 15,
    peer = ('%s; the first in a Neovim %s'):format(later.computed(), tools.ms(first.median())),
    detail = { first = first.wall, later = later.wall },
  })
end

return M
