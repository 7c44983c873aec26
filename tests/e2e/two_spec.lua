-- Several Neovims on one store: one leads an account, the others ask it; whoever is left when it ends goes on.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')

local dovecot ---@type table
local place ---@type string

local function start(async, change)
  return child.start({
    dir = place,
    setup = {
      accounts = { home = { email = 'home@example.org', imap = dovecot:imap('home', change) } },
      async = { enabled = async or false, startup_delay = 3600 },
    },
    init = [[
      _G.heard = {}
      vim.api.nvim_create_autocmd('User', { pattern = 'Himalaya*', callback = function(event)
        table.insert(_G.heard, { event.match, event.data })
      end })
    ]],
  })
end

local function begin_sync(nvim, kind, opts)
  nvim.lua(function(what, given)
    _G.synced = nil
    _G.handle = require('himalaya.sync.manager').start_sync(what, given, function(err, result)
      _G.synced = { err = err and { code = err.code, message = err.message }, result = result }
    end)
  end, kind, opts or {})
end

local function end_sync(nvim, timeout)
  local answer = nvim.wait_for(function()
    local synced = nvim.lua('return _G.synced')
    return synced ~= vim.NIL and synced
  end, timeout or 30000, 'the end of the sync')
  assert.is_nil(answer.err and answer.err.message)
  assert.is_nil(answer.result.accounts.home.err and answer.result.accounts.home.err.message)
  return answer.result.accounts.home
end

local function sync(nvim, kind, opts)
  begin_sync(nvim, kind, opts)
  return end_sync(nvim)
end

local function mail(nvim, name, ...)
  return support.good(support.call(nvim, name, ...))
end

local function standing(nvim)
  return nvim.lua(function()
    return require('himalaya.mail.home').is_open('home') and require('himalaya.native').mail.standing('home')
      or {}
  end)
end

local function status(nvim)
  return nvim.lua('return require("himalaya.sync.manager").get_sync_status()')
end

local function open_store(nvim)
  nvim.await(function(done)
    require('himalaya.mail.home').with('home', done)
  end)
end

local function deliver(count)
  dovecot:ask({ ['do'] = 'deliver', user = 'home', count = count })
end

local function found(query)
  local answer = dovecot:ask({
    ['do'] = 'doveadm',
    args = vim.list_extend({ 'search', '-u', 'home' }, query),
  })
  return select(2, (answer.out or ''):gsub('[^\n]+', ''))
end

local function told_of_mail(nvim)
  local count = 0
  for _, event in ipairs(nvim.lua('return _G.heard')) do
    count = count + (event[1] == 'HimalayaNewMail' and event[2].count or 0)
  end
  return count
end

--- Stops one between two commits: in the middle of one it would hold the store for as long as it sleeps.
local function stop(one, other)
  local item = mail(other, 'list', 'home', 'INBOX', {}).items[1]
  for _ = 1, 5 do
    vim.uv.kill(one.pid, 'sigstop')
    local answer = support.call(other, 'flag', 'home', 'INBOX', { item.id }, { add = { 'flagged' } })
    if not answer.err then
      return
    end
    vim.uv.kill(one.pid, 'sigcont')
  end
  error('it was in the middle of a commit each time')
end

describe('two Neovims on one store', function()
  before_each(function()
    place = vim.fn.tempname()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 40 })
  end)
  after_each(function()
    child.stop_all()
    servers.stop()
    vim.fn.delete(place, 'rf')
  end)

  it('see what the other one did, and one syncs for both', function()
    local one, two = start(), start()
    assert.equal(40, sync(one, 'full').new)
    assert.is_true(standing(one).leads)
    assert.equal(40, mail(two, 'list', 'home', 'INBOX', {}).total)

    deliver(2)
    local began = vim.uv.hrtime()
    local result = sync(two, 'inbox')
    local took = (vim.uv.hrtime() - began) / 1e6
    assert.equal(2, result.new)
    assert.is_true(result.round_trips > 0)
    assert.is_true(took < child.limit(1000), ('it took %d ms'):format(took))
    assert.is_false(standing(two).leads)
    assert.equal(standing(one).led_by, nil)
    assert.matches('^nvim_', standing(two).led_by)
    -- Both hear of the new mail, once, and of nothing of the first sync.
    for _, nvim in ipairs({ one, two }) do
      nvim.wait_for(function()
        return told_of_mail(nvim) == 2
      end)
    end
    -- The second never logged in.
    local counted = two.lua('return require("himalaya").metrics().sync')
    assert.equal(0, counted.connections_opened)
    assert.equal(1, counted.asked)
    assert.equal(1, one.lua('return require("himalaya").metrics().sync.served'))
  end)

  it('carry what either does, and show it in both', function()
    local one, two = start(), start()
    sync(one, 'full')
    local items = mail(two, 'list', 'home', 'INBOX', {}).items
    mail(two, 'flag', 'home', 'INBOX', { items[1].id }, { add = { 'flagged', 'seen-there' } })
    one.wait_for(function()
      return mail(one, 'list', 'home', 'INBOX', {}).items[1].flags.flagged
    end)
    assert.equal(1, sync(two, 'inbox').uploaded)
    assert.equal(1, found({ 'mailbox', 'INBOX', 'keyword', 'seen-there' }))
    assert.is_false(mail(one, 'list', 'home', 'INBOX', {}).items[1].pending)
    -- `undo` is each one's own.
    mail(one, 'delete', 'home', 'INBOX', { items[2].id })
    mail(two, 'undo', {})
    sync(two, 'full')
    assert.equal(0, found({ 'mailbox', 'INBOX', 'keyword', 'seen-there' }))
    assert.equal(1, found({ 'mailbox', 'Trash', 'all' }))
  end)

  it('carry soon what one without auto-sync does, if the leader has it', function()
    local one, two = start(true), start(false)
    one.lua('require("himalaya.sync.manager").start_auto_sync()')
    one.wait_for(function()
      local counted = one.lua('return require("himalaya").metrics().sync')
      return counted.cycles and counted.cycles > 0
    end, 20000, 'what push brings')
    assert.equal(40, mail(one, 'count', 'home', 'INBOX').total)
    local items = mail(two, 'list', 'home', 'INBOX', {}).items
    mail(two, 'flag', 'home', 'INBOX', { items[1].id }, { add = { 'carried' } })
    two.wait_for(function()
      return found({ 'mailbox', 'INBOX', 'keyword', 'carried' }) == 1
    end, 5000, 'the leader to carry it')
  end)

  it('read a message that only the leader can fetch', function()
    local one, two = start(), start()
    one.lua(function()
      local config = require('himalaya.config')
      config.account('home').bodies = 'on_demand'
    end)
    sync(one, 'full')
    open_store(two)
    local item = mail(two, 'list', 'home', 'INBOX', {}).items[1]
    assert.is_false(item.has_body)
    local message = mail(two, 'read', 'home', 'INBOX', item.id, {})
    assert.is_true(#message.text > 0)
    assert.equal(0, two.lua('return require("himalaya").metrics().sync.connections_opened'))
    assert.equal(1, one.lua('return require("himalaya").metrics().sync.served'))
  end)

  it('go on when the leader is killed in the middle of what the other asked for', function()
    local proxy = servers.proxy({ to = dovecot.tls_port, delay = 150 })
    local slow = { port = proxy.port }
    local one, two = start(false, slow), start(false, slow)
    begin_sync(one, 'inbox')
    one.wait_for(function()
      return standing(one).leads and standing(one).syncing
    end)
    begin_sync(two, 'full')
    two.wait_for(function()
      local shown = status(two)
      return shown.state == 'external' and shown.led_by and shown.led_by:find('^nvim_')
    end)
    one.kill()
    end_sync(two)
    assert.is_true(standing(two).leads)
    assert.equal(40, mail(two, 'count', 'home', 'INBOX').total)
  end)

  it('take the lead from one that is stopped, which does no harm when it wakes', function()
    local one, two = start(), start()
    sync(one, 'full')
    stop(one, two)
    deliver(1)
    assert.equal(1, sync(two, 'inbox').new)
    assert.is_true(standing(two).leads)
    local items = mail(two, 'list', 'home', 'INBOX', {}).items
    mail(two, 'move', 'home', 'INBOX', { items[1].id }, 'Archive')
    sync(two, 'full')
    vim.uv.kill(one.pid, 'sigcont')
    one.wait_for(function()
      return not standing(one).leads
    end)
    deliver(1)
    assert.equal(1, sync(one, 'inbox').new) -- it asks, now
    assert.is_true(standing(two).leads)
    assert.equal(1, found({ 'mailbox', 'Archive', 'all' }))
    assert.equal(41, mail(one, 'count', 'home', 'INBOX').total)
  end)

  it('stop what was asked for when nobody wants it any more', function()
    local proxy = servers.proxy({ to = dovecot.tls_port, delay = 300 })
    local slow = { port = proxy.port }
    local one, two = start(false, slow), start(false, slow)
    open_store(one)
    begin_sync(one, 'folder', { folder = 'Trash' })
    one.wait_for(function()
      return standing(one).leads
    end)
    begin_sync(two, 'full')
    two.wait_for(function()
      return status(two).state == 'external'
    end)
    two.lua('_G.handle.cancel()')
    two.wait_for(function()
      local synced = two.lua('return _G.synced')
      return synced ~= vim.NIL and synced.err and synced.err.code == 'cancelled'
    end)
    one.wait_for(function()
      return not standing(one).syncing
    end, 20000)
    assert.equal(0, one.lua('return require("himalaya").metrics().sync.served'))
  end)

  it('hand the lead to the one that looks after the mail, and take it up when that one leaves', function()
    local one, two = start(false), start(true)
    sync(one, 'full')
    assert.is_true(standing(one).leads)
    two.lua('require("himalaya.sync.manager").start_auto_sync()')
    two.wait_for(function()
      return standing(two).leads
    end)
    assert.is_false(standing(one).leads)
    deliver(1)
    two.wait_for(function()
      return mail(two, 'count', 'home', 'INBOX').total == 41
    end, 10000, 'the push')
    local three = start(true)
    three.lua('require("himalaya.sync.manager").start_auto_sync()')
    open_store(three)
    two.kill()
    three.wait_for(function()
      return standing(three).leads
    end)
    deliver(1)
    three.wait_for(function()
      return mail(three, 'count', 'home', 'INBOX').total == 42
    end, 10000, 'the push of the next one')
  end)
end)
