-- Rows of the screen's bench that are about opening: the list, a page, a folder, a message. Each is typed into a child
-- Neovim with a screen attached, and taken from the key to the complete picture.
local mailbox = require('tests.bench.screen.mailbox')
local ui_of = require('tests.ui')

local M = {}

local COLUMNS, LINES = 120, 40

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

  --- Milliseconds from <CR> after a command to the picture.
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
  local first, second, native = {}, {}, {}
  -- One more, thrown away: the files come into memory.
  for i = 0, tools.runs do
    local it = M.start(tools)
    local cold = it.command('Himalaya', it.shows('INBOX'))
    it.ui.press('q', function()
      return not it.ui.find('INBOX')
    end)
    local warm = it.command('Himalaya', it.shows('INBOX'))
    if i > 0 then
      first[i], second[i] = cold, warm
      native[i] = it.child.lua('return require("himalaya").metrics().loop.longest_turn_ms')
    end
    it.stop()
  end
  local one, two = tools.median(first), tools.median(second)
  report(figures.first, {
    measured = tools.ms(one),
    value = one,
    met = one < 50,
    detail = first,
  })
  report(figures.second, {
    measured = tools.ms(two),
    value = two,
    met = two < 15,
    peer = ('longest turn in both %s'):format(tools.ms(tools.median(native))),
    detail = second,
  })
end

function M.pages(tools, figures, report)
  local it = M.start(tools)
  it.command('Himalaya', it.shows('INBOX'))
  local pages = {}
  local last = math.min(tools.runs * 4 + 1, math.floor(it.about.count / 50))
  for page = 2, last do
    pages[#pages + 1] = it.ui.press('<C-d>', it.shows('INBOX', page))
  end
  for page = last - 1, 1, -1 do
    pages[#pages + 1] = it.ui.press('<C-u>', it.shows('INBOX', page))
  end
  local page = tools.median(pages)
  report(figures.page, {
    measured = tools.ms(page),
    value = page,
    met = page < 8,
    peer = ('p99 of %d %s'):format(#pages, tools.ms(tools.percentile(pages, 99))),
    detail = pages,
  })
  it.stop()
end

function M.folders(tools, figures, report)
  local new, again = {}, {}
  local it = M.start(tools)
  it.command('Himalaya', it.shows('INBOX'))
  it.ui.wait_for(function()
    return it.ui.find('Trash')
  end)
  -- From the sidebar, as it is done: the cursor on the folder, then <CR>.
  local function turn_to(folder, times)
    local row = assert(it.ui.find('    ' .. folder), folder .. ' is not in the sidebar')
    it.child.lua(function(line)
      require('himalaya.ui.screen').focus_sidebar()
      vim.api.nvim_win_set_cursor(0, { line, 0 })
    end, row)
    times[#times + 1] = it.ui.press('<CR>', it.shows(folder))
  end
  for _, folder in ipairs(it.about.folders) do
    turn_to(folder, new)
  end
  for _ = 1, tools.runs do
    for _, folder in ipairs(it.about.folders) do
      turn_to(folder, again)
    end
  end
  local first, later = tools.median(new), tools.median(again)
  report(figures.folder, {
    measured = tools.ms(first),
    value = first,
    met = first < 8,
    peer = 'a folder seen before ' .. tools.ms(later),
    detail = { new = new, again = again },
  })
  it.stop()
end

function M.message(tools, figures, report)
  local first, later = {}, {}
  for i = 1, tools.runs do
    local it = M.start(tools)
    it.command('Himalaya', it.shows('INBOX'))
    local function open()
      return it.ui.press('<CR>', function()
        return it.ui.find('Subject: ' .. it.about.long) and it.ui.find('Line 0 of a long letter')
      end)
    end
    first[i] = open()
    for _ = 1, 4 do
      it.ui.press('q', it.shows('INBOX'))
      it.child.lua(function()
        for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
          if vim.api.nvim_buf_get_name(buffer):find('?m=', 1, true) then
            vim.api.nvim_buf_delete(buffer, { force = true })
          end
        end
      end)
      later[#later + 1] = open()
    end
    it.stop()
  end
  local one = tools.median(later)
  report(figures.message, {
    measured = tools.ms(one),
    value = one,
    met = one < 15,
    peer = 'the first in a Neovim ' .. tools.ms(tools.median(first)),
    detail = { first = first, later = later },
  })
end

return M
