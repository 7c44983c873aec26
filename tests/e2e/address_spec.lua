-- needs dovecot
-- The names of our buffers outlive what they were given in: the store, the Neovim, the account.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')

local dovecot ---@type table
local nvim ---@type table
local dir ---@type string

local function start(opts)
  nvim = screens.start(dovecot, vim.tbl_extend('force', { dir = dir }, opts or {}))
end

local function edit(name)
  nvim.cmd('edit ' .. name:gsub('[?%%#]', '\\%0'))
end

local function subject()
  return nvim.lua('return vim.fn.getline(vim.fn.search("^Subject: ", "nw"))')
end

local function forget_the_store()
  vim.fn.delete(dir .. '/data/nvim/himalaya', 'rf')
end

--- Opens the message in that line of the list; gives its name and its subject.
local function read(line)
  nvim.type(line .. 'G<CR>')
  nvim.wait_for_text('Subject: ')
  nvim.wait_for('return vim.fn.bufname():find("m=") ~= nil')
  return nvim.lua('return vim.api.nvim_buf_get_name(0)'), subject()
end

describe('the address of a message', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 20 })
  end)
  teardown(servers.stop)
  before_each(function()
    dir = vim.fn.tempname()
  end)
  after_each(function()
    child.stop_all()
    vim.fn.delete(dir, 'rf')
  end)

  it('means the same message in a store that was built anew, or none', function()
    start()
    nvim.open()
    nvim.sync()
    local name, expected = read(8)
    assert.matches('^himalaya://home/INBOX%?m=%d+%.%d+$', name)
    nvim.stop()
    forget_the_store()

    start()
    edit(name)
    -- Said at once, and the message comes with the sync.
    nvim.wait_for_text('not found')
    nvim.type('S')
    nvim.wait_for(function()
      return subject() == expected
    end, 15000, 'the message')
    assert.equal(name, nvim.lua('return vim.api.nvim_buf_get_name(0)'))
    nvim.stop()
    forget_the_store()

    -- The folder was made anew on the server: its numbers mean other messages now.
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Papers' } })
    screens.deliver(dovecot, { folder = 'Papers', subject = 'the old one' })
    start()
    nvim.open()
    nvim.sync()
    nvim.cmd('Himalaya home/Papers')
    nvim.wait_for_text('the old one')
    name = read(4)
    nvim.stop()
    forget_the_store()
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'delete', '-u', 'home', 'Papers' } })
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Papers' } })
    screens.deliver(dovecot, { folder = 'Papers', subject = 'another one' })
    start()
    nvim.open()
    nvim.sync()
    edit(name)
    nvim.wait_for_text('not found')
    nvim.type('S')
    nvim.cmd('Himalaya home/Papers')
    nvim.wait_for_text('another one')
    edit(name)
    nvim.wait_for_text('not found')
    assert.is_false(nvim.shows('another one'))
  end)

  it('comes back with a session, and so does the list', function()
    start()
    nvim.open()
    nvim.sync()
    local name, expected = read(6)
    nvim.type(':tabnew<CR>')
    edit('himalaya://home/Archive')
    nvim.wait_for_text('No messages.')
    nvim.cmd('mksession! ' .. dir .. '/Session.vim')
    nvim.stop()

    start({ args = { '-S', dir .. '/Session.vim' } })
    nvim.wait_for(function()
      return nvim.shows('No messages.') and nvim.lua('return vim.fn.tabpagenr("$")') == 2
    end)
    nvim.type('gT')
    nvim.wait_for(function()
      return nvim.shows(expected)
    end)
    assert.equal(1, nvim.lua('return #vim.fn.win_findbuf(vim.fn.bufnr(...))', name))
    -- The sidebar is where it was, and there is only one.
    nvim.wait_for(function()
      return nvim.window('sidebar') ~= vim.NIL and #nvim.window('sidebar').lines > 3
    end)
    assert.equal(2, nvim.windows())
    nvim.lua('vim.fn.win_gotoid(vim.fn.win_findbuf(vim.fn.bufnr(...))[1])', name)
    assert.equal('himalaya-message', nvim.filetype())
    -- Its keys work as they did.
    nvim.type('q')
    nvim.wait_for_filetype('list')
    nvim.wait_for_text('20 emails')
    -- A mark leads back to a message that was let go of.
    read(6)
    nvim.cmd('mark M')
    nvim.type('q')
    nvim.wait_for_filetype('list')
    nvim.cmd('bunload! ' .. vim.fn.escape(name, '?%#\\'))
    nvim.type("'M")
    nvim.wait_for(function()
      return subject() == expected
    end)
  end)

  it('of an account that is gone says so, and works again when it is back', function()
    start()
    nvim.open()
    nvim.sync()
    local name, expected = read(5)
    local setup = nvim.lua('return require("himalaya.config").get().accounts.home.imap.host')
    assert.equal('127.0.0.1', setup)
    -- Taken out of the configuration while its buffers are open.
    nvim.lua('_G.accounts = ...', { home = { email = 'home@example.org', imap = dovecot:imap('home') } })
    nvim.lua('require("himalaya").setup({ async = { enabled = false } })')
    nvim.type('d*u]]')
    nvim.cmd('HimalayaRefresh')
    nvim.cmd('silent! Himalaya')
    edit('himalaya://home/INBOX')
    nvim.wait_for_text('There is no account `home`.')
    nvim.cmd('bwipeout! ' .. vim.fn.escape(name, '?%#\\'))
    edit(name)
    nvim.wait_for_text('There is no account `home`.')
    -- It comes by itself once it can.
    nvim.lua('require("himalaya").setup({ accounts = _G.accounts, async = { enabled = false } })')
    nvim.wait_for(function()
      return subject() == expected
    end)
    edit('himalaya://home/INBOX')
    nvim.wait_for_text('20 emails')
    nvim.stop()
    -- Never configured at all, and no account configured.
    start({ setup = { accounts = vim.empty_dict() } })
    edit(name)
    nvim.wait_for_text('There is no account `home`.')
    assert.equal('', nvim.lua('return vim.v.errmsg'))
  end)

  it('that names nothing is refused in words', function()
    start()
    for _, name in ipairs({
      'himalaya://home/INBOX?m=',
      'himalaya://',
      'himalaya://../INBOX',
      'himalaya://home/%zz',
      'himalaya://home/INBOX?x=1',
    }) do
      edit(name)
      nvim.wait_for_text('address')
      nvim.cmd('bwipeout!')
    end
    edit('himalaya://home/Lists/reading')
    nvim.wait_for_text('must be written %2F')
    nvim.cmd('bwipeout!')
    for _, key in ipairs({ '1.2.3', 'x', '0.0', '99999999999999999999.1', ('a'):rep(32) }) do
      edit('himalaya://home/INBOX?m=' .. key)
      nvim.wait_for_text('not found')
    end
  end)
end)
