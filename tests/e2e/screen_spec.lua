-- needs dovecot
-- The screen as a user meets it: typed keys in a Neovim of its own, mail from a real Dovecot, what the cells show.
local child = require('tests.child')
local servers = require('tests.servers')

local nvim ---@type table
local dovecot ---@type table

local function start(change, columns)
  nvim = child.start({
    setup = vim.tbl_extend('force', {
      accounts = {
        home = { email = 'home@example.org', imap = dovecot:imap('home') },
      },
      async = { enabled = false },
    }, change or {}),
  })
  nvim.resize(columns or 100, 30)
end

local function lines()
  return nvim.screen()
end

local function shows(text)
  return table.concat(lines(), '\n'):find(text, 1, true) ~= nil
end

local function wait_for_text(text)
  nvim.wait_for(function()
    return shows(text)
  end, 15000, ('`%s` on the screen'):format(text))
end

--- What is left of `text` in the line of the screen that has it.
local function line_with(text)
  for _, line in ipairs(lines()) do
    if line:find(text, 1, true) then
      return line
    end
  end
end

--- A line of the inbox's list, empty where it has none.
local function list_line(number)
  return nvim.lua(function(at)
    return vim.api.nvim_buf_get_lines(vim.fn.bufnr('himalaya://home/INBOX'), at - 1, at, false)[1] or ''
  end, number)
end

local function open()
  nvim.type(':Himalaya<CR>')
  nvim.wait_for('return vim.bo.filetype == "himalaya-list"')
end

local function total_on_server(folder)
  local answer = dovecot:ask({ ['do'] = 'doveadm', args = { 'search', '-u', 'home', 'mailbox', folder } })
  return select(2, (answer.out or ''):gsub('[^\n]+', ''))
end

--- Syncs by its key and waits until the list has all of it.
local function sync()
  nvim.type('S')
  nvim.wait_for(function()
    return nvim.messages():find('Synced;', 1, true)
  end, 30000)
  wait_for_text(('%d emails'):format(total_on_server('INBOX')))
  nvim.wait_for(function()
    return list_line(4):find('^%[ %]')
  end)
end

local function wait_for_count(total, unread)
  wait_for_text(('%d emails, %d unread'):format(total, unread))
end

describe('the screen', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home', 'office' }, messages = 120 })
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  for _, columns in ipairs({ 60, 100, 200 }) do
    it(('shows folders and mail in %d columns'):format(columns), function()
      start(nil, columns)
      open()
      wait_for_text('Nothing of this folder is here yet')
      assert.is_truthy(shows('Himalaya - home@example.org - INBOX'))
      sync()
      wait_for_text('120 emails')
      assert.matches('%?:help$', nvim.lua('return vim.fn.getline("$")'))
      nvim.wait_for(function()
        return shows('Trash') and shows('Archive')
      end)
      assert.matches('^▾ home', lines()[1])
      nvim.wait_for(function()
        return lines()[2]:find('^    INBOX%s+%d')
      end)
      local first = list_line(4)
      assert.matches('^%[ %]', first)
      local widest = nvim.lua(function()
        local most = 0
        for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
          most = math.max(most, vim.api.nvim_strwidth(line))
        end
        return most - vim.api.nvim_win_get_width(0)
      end)
      assert.is_true(widest <= 0)
      -- Another width is another layout, without a key.
      nvim.resize(columns + 40, 30)
      nvim.wait_for(function()
        return list_line(4) ~= first
      end)
    end)
  end

  it('turns pages, filters, and goes back by Esc', function()
    start()
    open()
    sync()
    nvim.type('<C-d>')
    wait_for_text('Page 2 / 3')
    assert.equal(4, nvim.lua('return vim.fn.line(".")'))
    nvim.type('<C-d><C-d>')
    wait_for_text('Page 3 / 3')
    nvim.type('5<C-u>')
    wait_for_text('Page 1 / 3')
    nvim.type('/is:flagged<CR>')
    wait_for_text('/is:flagged  Page 1 / 1 | ')
    wait_for_text(' found (')
    nvim.wait_for(function()
      return list_line(4):find('^%[ %] %*')
    end)
    nvim.type('<Esc>')
    wait_for_text('Page 1 / 3')
    nvim.type('<Esc>')
    nvim.wait_for('return vim.bo.filetype == "himalaya-sidebar"')
    nvim.type('<Esc>')
    nvim.wait_for('return vim.bo.filetype == "himalaya-list"')
    nvim.type('/from:(<CR>')
    nvim.type('<Esc>')
    wait_for_text('Page 1 / 3')
  end)

  it('opens a folder of the sidebar, and another account by its name', function()
    start({
      accounts = {
        home = { email = 'home@example.org', imap = dovecot:imap('home') },
        office = { email = 'office@example.org', imap = dovecot:imap('office') },
      },
    })
    open()
    sync()
    wait_for_text('Trash')
    nvim.type('<Esc>')
    nvim.wait_for('return vim.bo.filetype == "himalaya-sidebar"')
    nvim.type('gg<C-l>')
    nvim.lua('vim.fn.search("Trash")')
    nvim.type('<CR>')
    wait_for_text('Himalaya - home@example.org - Trash')
    wait_for_text('No messages.')
    nvim.type(':Himalaya office/Sent<CR>')
    wait_for_text('Himalaya - office@example.org - Sent')
    nvim.type(':Himalaya office<CR>')
    nvim.type(':Himalaya home/Shelf<CR>')
    wait_for_text('No folder `Shelf` is known in home.')
    nvim.type(':Himalaya home/INBOX<CR>')
    wait_for_text('120 emails')
    -- An account is closed and opened.
    nvim.type('<Esc>')
    nvim.wait_for('return vim.bo.filetype == "himalaya-sidebar"')
    nvim.type('gg<Tab>')
    wait_for_text('▸ home')
    nvim.type('<Tab>')
    wait_for_text('▾ home')
  end)

  it('reads a message, marks it read and comes back to it', function()
    start()
    open()
    sync()
    nvim.lua('vim.fn.search("•")')
    local line = nvim.lua('return vim.fn.line(".")')
    local unread = tonumber(line_with(' unread'):match('(%d+) unread'))
    -- A FileType autocommand finds the buffer under its address.
    nvim.lua(function()
      vim.api.nvim_create_autocmd('FileType', {
        pattern = 'himalaya-message',
        callback = function(event)
          _G.typed = { vim.api.nvim_buf_get_name(event.buf), vim.bo[event.buf].buftype }
        end,
      })
    end)
    nvim.type('<CR>')
    nvim.wait_for('return vim.bo.filetype == "himalaya-message"')
    wait_for_text('Subject: ')
    assert.matches('^From: ', nvim.lua('return vim.fn.getline(1)'))
    local name = nvim.lua('return vim.api.nvim_buf_get_name(0)')
    assert.matches('^himalaya://home/INBOX%?m=%d+%.%x+$', name)
    assert.same({ name, 'nowrite' }, nvim.lua('return typed'))
    nvim.type('q')
    nvim.wait_for('return vim.bo.filetype == "himalaya-list"')
    assert.equal(line, nvim.lua('return vim.fn.line(".")'))
    wait_for_count(120, unread - 1)
    nvim.type('u')
    wait_for_count(120, unread)
  end)

  it('acts on one, on a selection, on a count and on a Visual range, and takes it back', function()
    start()
    open()
    sync()
    wait_for_text('120 emails')
    nvim.type('d')
    nvim.wait_for_message('Deleted 1 message')
    wait_for_text('119 emails')
    nvim.type('U')
    wait_for_text('120 emails')
    nvim.type('gg3jnn')
    nvim.wait_for(function()
      return list_line(4):find('^%[x%]') and list_line(5):find('^%[x%]')
    end)
    nvim.type('a')
    nvim.wait_for_message('Archived 2 messages')
    wait_for_text('118 emails')
    assert.is_nil(nvim.lua('return vim.fn.search("[[]x]", "n")') ~= 0 or nil)
    nvim.type('gg3j3*')
    nvim.wait_for(function()
      return list_line(4):find('^%[ %] %*') and list_line(6):find('^%[ %] %*')
    end)
    nvim.type('Vjd')
    nvim.wait_for_message('Deleted 2 messages')
    wait_for_text('116 emails')
    assert.equal('n', nvim.lua('return vim.fn.mode()'))
    nvim.type('S')
    nvim.wait_for(function()
      return total_on_server('Archive') == 2
        and total_on_server('Trash') == 2
        and total_on_server('INBOX') == 116
    end, 15000, 'the moves on the server')
    -- What lies in the trash goes for good, which is said.
    nvim.type(':Himalaya home/Trash<CR>')
    wait_for_text('2 emails')
    nvim.type('d')
    nvim.wait_for_message('Deleted 1 message for good; U takes it back within')
    nvim.type('U')
    nvim.wait_for_message('Took back: deletion of 1 message.')
    nvim.type(':Himalaya home/INBOX<CR>')
    wait_for_text('116 emails')
    nvim.type('U')
    wait_for_text('118 emails')
    nvim.type('U')
    nvim.wait_for(function()
      return not list_line(5):find('^%[ %] %*')
    end)
    nvim.type('U')
    wait_for_text('120 emails')
    nvim.wait_for('return require("himalaya.sync.manager").get_sync_status().state == "idle"', 15000)
    nvim.type('S')
    nvim.wait_for(function()
      return total_on_server('INBOX') == 120
    end, 15000)
  end)

  it('shows mail that comes, and the cursor stays on its message', function()
    start()
    open()
    sync()
    nvim.type('gg8j')
    local under = nvim.lua('return vim.fn.getline(".")')
    local before = total_on_server('INBOX')
    dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 2 })
    -- A server may keep what just came from a connection that is in the folder until it looks once more.
    local asked = -math.huge
    nvim.wait_for(function()
      if vim.uv.hrtime() - asked > 1e9 then
        nvim.type('s')
        asked = vim.uv.hrtime()
      end
      return shows(('%d emails'):format(before + 2))
    end, 30000)
    assert.equal(11, nvim.lua('return vim.fn.line(".")'))
    assert.equal(under, nvim.lua('return vim.fn.getline(".")'))
  end)

  it('gets mail by push, without a key', function()
    start({ async = { enabled = true, startup_delay = 3600 } })
    open()
    wait_for_text('Page 1 / ')
    wait_for_text(('%d emails'):format(total_on_server('INBOX')))
    -- Whether the server watches already or not: what came before it did is asked for when it begins.
    local before = total_on_server('INBOX')
    dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
    wait_for_text(('%d emails'):format(before + 1))
  end)

  it('reopens its buffers by name, and never shows another message', function()
    start()
    open()
    sync()
    -- Some of the messages have no subject.
    nvim.lua('vim.fn.search("Opening hours")')
    nvim.type('<CR>')
    nvim.wait_for('return vim.fn.search("^Subject: ", "n") > 0 and vim.fn.bufname():find("m=") ~= nil')
    local name = nvim.lua('return vim.api.nvim_buf_get_name(0)')
    local subject = nvim.lua('return vim.fn.getline(vim.fn.search("^Subject: ", "n"))')
    nvim.cmd('bwipeout')
    nvim.cmd('edit ' .. name:gsub('[?%%#]', '\\%0'))
    nvim.wait_for('return vim.fn.search("^Subject: ", "n") > 0')
    assert.equal(subject, nvim.lua('return vim.fn.getline(vim.fn.search("^Subject: ", "n"))'))
    assert.equal('himalaya-message', nvim.lua('return vim.bo.filetype'))
    -- The same number, but what was meant by it was another message.
    local other = name:gsub('%.%x+$', '.0123456789abcdef')
    nvim.cmd('edit ' .. other:gsub('[?%%#]', '\\%0'))
    nvim.wait_for('return vim.fn.getline(1):find("not found") ~= nil')
    -- Many messages one after the other leave few behind.
    nvim.cmd('edit himalaya://home/INBOX')
    nvim.wait_for(function()
      return list_line(30):find('^%[')
    end)
    nvim.type('gg3j<CR>')
    for _ = 1, 25 do
      nvim.wait_for('return vim.fn.getline(1):find("^From: ") ~= nil')
      local was = nvim.lua('return vim.api.nvim_get_current_buf()')
      nvim.type(']]')
      nvim.wait_for(function()
        return nvim.lua('return vim.api.nvim_get_current_buf()') ~= was
      end)
    end
    local loaded = nvim.lua(function()
      return #vim.tbl_filter(function(buffer)
        return vim.api.nvim_buf_is_loaded(buffer) and vim.bo[buffer].filetype == 'himalaya-message'
      end, vim.api.nvim_list_bufs())
    end)
    assert.is_true(loaded <= 21)
    nvim.cmd('edit himalaya://home/INBOX')
    wait_for_text('Himalaya - home@example.org - INBOX')
    nvim.cmd('edit himalaya://nobody/INBOX')
    wait_for_text('There is no account')
  end)

  it('puts back what was there before, in every tab page', function()
    start()
    nvim.lua('vim.api.nvim_buf_set_lines(0, 0, -1, false, { "what was here" }) vim.bo.modified = false')
    open()
    nvim.type(':tabnew<CR>:Himalaya<CR>')
    nvim.wait_for('return vim.fn.tabpagenr("$") == 2 and vim.fn.winnr("$") == 2')
    nvim.type('q')
    nvim.wait_for('return vim.fn.winnr("$") == 1')
    nvim.type('gt')
    nvim.wait_for('return vim.fn.winnr("$") == 2')
    nvim.type('<C-w>lq')
    wait_for_text('what was here')
    assert.equal(1, nvim.lua('return vim.fn.winnr("$")'))
    -- A view that goes in the middle of an update is no error.
    open()
    nvim.cmd('HimalayaRefresh')
    nvim.cmd('bwipeout! himalaya-sidebar')
    nvim.cmd('bwipeout! himalaya://home/INBOX')
    nvim.cmd('HimalayaRefresh')
    assert.equal('', nvim.lua('return vim.v.errmsg'))
    open()
    assert.equal('', nvim.lua('return vim.v.errmsg'))
  end)

  it('shows sync, statistics, accounts and help', function()
    start()
    open()
    sync()
    nvim.type('i')
    wait_for_text('No sync runs.')
    nvim.type('q:HimalayaStats<CR>')
    wait_for_text('Syncs, oldest to newest')
    wait_for_text('round trips')
    for _, words in ipairs({ 'cache, memory', 'cache, disk', 'cache, remote', 'waits' }) do
      wait_for_text(words)
    end
    nvim.type('q')
    nvim.type('?')
    wait_for_text('Move to the archive')
    nvim.type('q:HimalayaCancelSync<CR>')
    nvim.wait_for_message('No sync is running.')
    nvim.lua(function()
      vim.ui.select = function(items, _, done)
        for _, item in ipairs(items) do
          if item.path == 'Drafts' or item.name == 'home' then
            done(item)
          end
        end
      end
    end)
    nvim.type('<Esc>:HimalayaFolder<CR>')
    wait_for_text('Himalaya - home@example.org - Drafts')
    nvim.type(':HimalayaAccounts<CR>')
    wait_for_text('Himalaya - home@example.org - INBOX')
    nvim.cmd('HimalayaAutoSyncToggle')
    assert.is_true(nvim.lua('return require("himalaya.sync.auto").is_running()'))
    nvim.cmd('HimalayaAutoSyncToggle')
    assert.is_false(nvim.lua('return require("himalaya.sync.auto").is_running()'))
  end)
end)
