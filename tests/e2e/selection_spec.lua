-- needs dovecot
-- Which folders are synced, and how fast: the options of an account against a real server.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')

local nvim, dovecot

local function start(account, all)
  nvim = child.start({
    setup = vim.tbl_extend('force', {
      accounts = {
        home = vim.tbl_extend('force', { email = 'home@example.org', imap = dovecot:imap('home') }, account),
      },
      async = { enabled = false },
    }, all or {}),
  })
end

local function sync(kind)
  local answer = nvim.await(function(done, what)
    local began = vim.uv.hrtime()
    require('himalaya.sync.manager').start_sync(what, {}, function(err, result)
      done({ err = err and err.message, result = result, seconds = (vim.uv.hrtime() - began) / 1e9 })
    end)
  end, kind)
  assert.is_nil(answer.err)
  return answer.result.accounts.home, answer.seconds
end

--- Dovecot tells the state of a folder from notes that may be a moment old: it is the sum of some syncs that must be
--- right.
local function sync_until_new(count)
  local new = 0
  nvim.wait_for(function()
    new = new + sync('full').new
    return new >= count
  end, 10000, ('%d new messages'):format(count))
  assert.equal(count, new)
end

--- How many messages of a folder are here.
local function total(folder)
  return #support.good(support.call(nvim, 'list', 'home', folder, { page_size = 100 })).items
end

local function fill(folders)
  local args = { 'mailbox', 'create', '-u', 'home' }
  dovecot:ask({ ['do'] = 'doveadm', args = vim.list_extend(args, folders) })
  for _, folder in ipairs(folders) do
    dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = folder, count = 2 })
  end
end

describe('the options of an account', function()
  after_each(function()
    child.stop_all()
    servers.stop()
  end)

  it('name the folders that are synced, by patterns; what is excluded wins', function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 3 })
    fill({ 'Lists/nvim', 'Lists/nvim/old', 'Shelf 1', 'Shelf 2' })
    start({ folders = { include = { 'INBOX', 'Lists/%', 'Shelf*' }, exclude = { '* 2' } } })
    sync_until_new(7)
    assert.equal(3, total('INBOX'))
    assert.equal(2, total('Lists/nvim'))
    assert.equal(0, total('Lists/nvim/old'))
    assert.equal(2, total('Shelf 1'))
    assert.equal(0, total('Shelf 2'))
    dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Shelf 2', count = 1 })
    dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Shelf 1', count = 1 })
    sync_until_new(1)
    -- One that is left out is a folder all the same: what is moved there arrives.
    local item = support.good(support.call(nvim, 'list', 'home', 'INBOX', {})).items[1]
    support.good(support.call(nvim, 'move', 'home', 'INBOX', { item.id }, 'Shelf 2'))
    assert.equal(1, sync('full').uploaded)
    local out = dovecot:ask({
      ['do'] = 'doveadm',
      args = { 'search', '-u', 'home', 'mailbox', 'Shelf 2', 'all' },
    }).out
    assert.equal(4, select(2, out:gsub('[^\n]+', '')))
  end)

  it('hold the connections together to so many bytes a second', function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 80, mechanisms = 'plain' })
    start({}, { performance = { bandwidth_limit = 100 } })
    local home, seconds = sync('full')
    assert.equal(80, home.new)
    -- A second's worth may go at once, before the limit is felt.
    local least = home.bytes / 1024 / 100 - 1.2
    assert.is_true(least > 1, 'too little mail to tell')
    assert.is_true(seconds > least, ('%d bytes in %.1f s'):format(home.bytes, seconds))
  end)

  it('are met over the one connection that a server allows', function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 30, max_connections = 1 })
    dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Archive', count = 3 })
    start({ bodies = 'on_demand' })
    nvim.lua('require("himalaya.sync.manager").start_auto_sync()')
    local function wait_for_mail(folder, count)
      nvim.wait_for(function()
        local page = support.call(nvim, 'list', 'home', folder, { page_size = 100 })
        return page.result and page.result.total == count
      end, 30000, ('%d messages in %s'):format(count, folder))
    end
    wait_for_mail('INBOX', 30)
    wait_for_mail('Archive', 3)
    for round = 1, 2 do
      dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
      wait_for_mail('INBOX', 30 + round)
      -- Another folder's text, while the inbox is listened to.
      local item = support.good(support.call(nvim, 'list', 'home', 'Archive', {})).items[round]
      assert.is_true(#support.good(support.call(nvim, 'read', 'home', 'Archive', item.id, {})).text > 0)
      support.good(support.call(nvim, 'flag', 'home', 'Archive', item.id, { add = { 'flagged' } }))
      nvim.wait_for(function()
        return not support.good(support.call(nvim, 'list', 'home', 'Archive', {})).items[round].pending
      end, 20000, 'the flag to be carried')
    end
    assert.equal('', nvim.messages())
  end)
end)
