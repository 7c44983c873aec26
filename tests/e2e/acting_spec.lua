-- needs dovecot
-- What is done to mail from the screen: seen at once, put back when the server refuses, drawn line by line; and the
-- keys that do it, as the user wants them.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')

local dovecot ---@type table
local nvim ---@type table

local function start(opts)
  nvim = screens.start(dovecot, opts)
  nvim.open()
  nvim.sync()
end

--- Counts the lines of the list that are set from now on.
local function count_lines()
  nvim.lua(function()
    _G.set = {}
    vim.api.nvim_buf_attach(vim.fn.bufnr('himalaya://home/INBOX'), false, {
      on_lines = function(_, _, _, first, last, new)
        for line = first, math.max(last, new) - 1 do
          table.insert(_G.set, line + 1)
        end
      end,
    })
  end)
end

local function lines_set()
  return nvim.lua('return _G.set')
end

describe('an action', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 0 })
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Papers' } })
    for i = 1, 12 do
      screens.deliver(dovecot, { subject = ('numbered %d'):format(i) })
    end
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  it('that the server refuses is put back, and why is said', function()
    start()
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'delete', '-u', 'home', 'Papers' } })
    nvim.lua(function()
      vim.ui.select = function(items, _, done)
        for _, item in ipairs(items) do
          if item.path == 'Papers' then
            done(item)
          end
        end
      end
      vim.fn.search('numbered 5')
    end)
    nvim.type('m')
    nvim.wait_for_text('Moved 1 message to Papers')
    nvim.wait_for(function()
      return not table.concat(nvim.list(), '\n'):find('numbered 5', 1, true)
    end)
    nvim.type('s')
    nvim.wait_for(function()
      return nvim.messages():find('The server refused to move', 1, true)
    end, 20000)
    nvim.wait_for(function()
      return table.concat(nvim.list(), '\n'):find('numbered 5', 1, true)
    end)
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Papers' } })
  end)

  it('sets the lines that it changes and no other, and the cursor stays', function()
    start()
    nvim.type('8G')
    count_lines()
    nvim.type('*')
    nvim.wait_for(function()
      return nvim.list()[8]:find('^%[ %] %*')
    end)
    local set = lines_set()
    assert.is_true(#set >= 1)
    for _, line in ipairs(set) do
      -- Above, only the counts and what sync does may change.
      assert.is_true(line == 8 or line == 2 or line == 3, line)
    end
    assert.equal(8, nvim.lua('return vim.fn.line(".")'))
    -- Of a message that leaves, no other line than its own and the counts.
    local below = nvim.list()[9]
    nvim.lua('_G.set = {}')
    nvim.type('d')
    nvim.wait_for(function()
      return nvim.list()[8] == below
    end)
    for _, line in ipairs(lines_set()) do
      assert.is_true(line == 8 or line <= 3, line)
    end
    assert.equal(below, nvim.lua('return vim.fn.getline(".")'))
    nvim.type('U')
    nvim.wait_for_text('12 emails')
    nvim.type('4G*')
    nvim.wait_for_text('12 emails')
  end)

  it('is done by the keys that the user gave it', function()
    start({
      lines = 50,
      setup = {
        keymaps = { list = { d = false, X = 'delete', ['<C-x>'] = 'open' } },
      },
    })
    local before = nvim.list()[4]
    -- What is left of it is Neovim's own, which waits for a motion.
    nvim.type('4Gd<Esc>')
    assert.equal(before, nvim.list()[4])
    nvim.type('4GX')
    nvim.wait_for_text('Deleted 1 message')
    nvim.type('U')
    nvim.wait_for_text('12 emails')
    nvim.lua([[vim.keymap.set('n', 'gy', '<Plug>(himalaya-list-flagged)', { buffer = 0 })]])
    nvim.type('4Ggy')
    nvim.wait_for(function()
      return nvim.list()[4]:find('^%[ %] %*')
    end)
    nvim.type('g?')
    nvim.wait_for(function()
      return nvim.text():find('X +Delete')
    end)
    assert.is_nil(nvim.text():find('│ d +Delete'))
    nvim.type('q4G<C-x>')
    nvim.wait_for_filetype('message')
    -- A user's FileType autocommand has the last word on maps.
    nvim.lua(function()
      vim.api.nvim_create_autocmd('FileType', {
        pattern = 'himalaya-list',
        callback = function(event)
          vim.keymap.set('n', 'q', '<Cmd>let g:mine = 1<CR>', { buffer = event.buf, nowait = true })
        end,
      })
    end)
    nvim.cmd('edit himalaya://home/Papers')
    nvim.wait_for_filetype('list')
    nvim.type('q')
    nvim.wait_for('return vim.g.mine == 1')
  end)
end)

-- The whole screen, cell by cell, as a picture to look at; ages and sync lines are left out.
local PICTURES = {}

PICTURES[60] = [[
▾ home        4│Himalaya - home@example.org - INBOX
    INBOX     4│Page 1 / 1 | 4 emails, 4 unread
    Drafts     │
    Sent       │[ ]  • Biblioth… Horaires d'été     @   2001
    Archive    │[ ]  • (no send… (no subject)           2001
    Junk       │[ ]  • 図書館    開館時間               2000
    Trash      │[ ]  • Ann       Lunch                  2000
~              │                                     ?:help]]

PICTURES[100] = [[
▾ home                  4│Himalaya - home@example.org - INBOX
    INBOX               4│Page 1 / 1 | 4 emails, 4 unread
    Drafts               │
    Sent                 │[ ]  • Bibliothèque     Horaires d'été                      @   1 Feb 2001
    Archive              │[ ]  • (no sender)      (no subject)                            1 Jan 2001
    Junk                 │[ ]  • 図書館           開館時間                                2 Jan 2000
    Trash                │[ ]  • Ann              Lunch                                   1 Jan 2000
~                        │                                                                   ?:help]]

-- luacheck: push ignore 631
PICTURES[200] = [[
▾ home                       4│Himalaya - home@example.org - INBOX
    INBOX                    4│Page 1 / 1 | 4 emails, 4 unread
    Drafts                    │
    Sent                      │[ ]  • Bibliothèque                     Horaires d'été                                                                                           @   358 2001-02-01 12:00
    Archive                   │[ ]  • (no sender)                      (no subject)                                                                                                 188 2001-01-01 12:00
    Junk                      │[ ]  • 図書館                           開館時間                                                                                                     228 2000-01-02 12:00
    Trash                     │[ ]  • Ann                              Lunch                                                                                                        214 2000-01-01 12:00
~                             │                                                                                                                                                                  ?:help]]
-- luacheck: pop

describe('the cells', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 0 })
    local function on(day, message)
      message.date = day .. ' 12:00:00 +0000'
      message.id = ('<%s@example.org>'):format(day:gsub('%W', ''))
      screens.deliver(dovecot, message)
    end
    on('Sat, 1 Jan 2000', { subject = 'Lunch', from = 'Ann <ann@example.org>' })
    on('Sun, 2 Jan 2000', { subject = '開館時間', from = '図書館 <desk@example.org>' })
    on('Mon, 1 Jan 2001', { subject = '', from = '' })
    on('Thu, 1 Feb 2001', {
      subject = "Horaires d'été",
      from = 'Bibliothèque <desk@example.org>',
      headers = 'Content-Type: multipart/mixed; boundary=b',
      body = '--b\nContent-Type: text/plain\n\nsee\n--b\nContent-Type: text/csv\n'
        .. 'Content-Disposition: attachment; filename=x.csv\n\n1\n--b--',
    })
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  for _, columns in ipairs({ 60, 100, 200 }) do
    for _, background in ipairs({ 'light', 'dark' }) do
      it(('are these in %d columns, %s'):format(columns, background), function()
        start({ columns = columns, lines = 20, setup = { sync = { auto = false } } })
        nvim.cmd('set background=' .. background)
        local expected = vim.split(PICTURES[columns], '\n')
        local shown
        local ok = pcall(nvim.wait_for, function()
          shown = nvim.screen()
          for at, line in ipairs(expected) do
            -- Ages and sync lines come and go.
            if at ~= 3 and shown[at]:gsub(' %(just now%)', '') ~= line then
              return false
            end
          end
          return true
        end)
        assert.is_true(ok, table.concat(shown, '\n'))
      end)
    end
  end
end)
