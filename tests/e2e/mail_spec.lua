-- Mail through the whole house against a real Dovecot: synced, listed, read, changed in both directions.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

local nvim ---@type table

local function start(dovecot, change, account)
  nvim = support.start(dovecot, { imap = change, account = account })
  return nvim
end

local function sync(kind, opts)
  return nvim.await(function(done, what, given)
    require('himalaya.sync.manager').start_sync(what, given, function(err, result)
      done({ err = err and { code = err.code, message = err.message }, result = result })
    end)
  end, kind, opts or {})
end

local function mail(name, ...)
  return support.call(nvim, name, ...)
end

local function uids(dovecot, query)
  local answer = dovecot:ask({
    ['do'] = 'doveadm',
    args = vim.list_extend({ 'search', '-u', 'home' }, query),
  })
  local found = {}
  for line in (answer.out or ''):gmatch('[^\n]+') do
    table.insert(found, tonumber(line:match('(%d+)$')))
  end
  return found
end

for tier = 1, 4 do
  describe('mail in tier ' .. tier, function()
    local dovecot

    before_each(function()
      dovecot = servers.dovecot({ users = { 'home' }, messages = 60, tier = tier })
      start(dovecot)
    end)
    after_each(function()
      child.stop_all()
      servers.stop()
    end)

    it('comes, is listed newest first and can be read offline', function()
      local result = good(sync('full'))
      assert.is_nil(result.accounts.home.err and result.accounts.home.err.message)
      assert.equal(60, result.accounts.home.new)
      local page = good(mail('list', 'home', 'INBOX', { page_size = 20 }))
      assert.equal(60, page.total)
      assert.equal(20, #page.items)
      for at = 2, #page.items do
        assert.is_true(page.items[at - 1].arrived >= page.items[at].arrived)
      end
      dovecot:stop()
      local message = good(mail('read', 'home', 'INBOX', page.items[1].id, {}))
      assert.is_true(#message.text > 0)
      assert.is_true(#message.headers > 3)
    end)

    it('follows what another client does', function()
      good(sync('full'))
      dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 3 })
      dovecot:ask({
        ['do'] = 'doveadm',
        args = { 'flags', 'add', '-u', 'home', '\\Flagged', 'mailbox', 'INBOX', 'uid', '5' },
      })
      dovecot:ask({ ['do'] = 'doveadm', args = { 'expunge', '-u', 'home', 'mailbox', 'INBOX', 'uid', '7' } })
      -- Dovecot lists a folder's state from an index that may be a moment old: it is the sum that must be right.
      local new, expunged, updated = 0, 0, 0
      child.wait_for(function()
        local result = good(sync('full')).accounts.home
        new, expunged, updated = new + result.new, expunged + result.expunged, updated + result.updated
        return new >= 3 and expunged >= 1 and updated >= 1
      end, 10000, 'what the other client did')
      assert.same({ 3, 1, 1 }, { new, expunged, updated })
      assert.equal(62, good(mail('count', 'home', 'INBOX')).total)
      local flagged = good(mail('list', 'home', 'INBOX', { query = 'is:flagged', page_size = 100 })).items
      local named = {}
      for _, item in ipairs(flagged) do
        named[item.uid] = true
      end
      assert.is_true(named[5])
      local again = good(sync('full')).accounts.home
      assert.equal(0, again.new + again.updated + again.expunged)
    end)

    it('sees in the inbox at once what was delivered before it was asked', function()
      good(sync('full'))
      dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 2 })
      assert.equal(2, good(sync('inbox')).accounts.home.new)
      assert.equal(0, good(sync('inbox')).accounts.home.new)
    end)

    it('carries what the user does to the server', function()
      good(sync('full'))
      local items = good(mail('list', 'home', 'INBOX', { page_size = 10 })).items
      good(mail('flag', 'home', 'INBOX', { items[1].id, items[2].id }, { add = { 'flagged', 'todo' } }))
      good(mail('move', 'home', 'INBOX', { items[3].id }, 'Archive'))
      good(mail('delete', 'home', 'INBOX', { items[4].id }))
      good(mail('copy', 'home', 'INBOX', { items[5].id }, 'Archive'))
      local seen = good(mail('list', 'home', 'INBOX', { page_size = 10 })).items
      assert.equal(items[5].id, seen[3].id)
      assert.is_true(seen[1].flags.flagged)
      assert.is_true(seen[1].pending)
      local result = good(sync('full')).accounts.home
      assert.equal(5, result.uploaded)
      assert.same({}, result.refused)
      assert.equal(2, #uids(dovecot, { 'mailbox', 'INBOX', 'keyword', 'todo' }))
      assert.equal(58, #uids(dovecot, { 'mailbox', 'INBOX' }))
      assert.equal(2, #uids(dovecot, { 'mailbox', 'Archive' }))
      assert.equal(1, #uids(dovecot, { 'mailbox', 'Trash' }))
      good(sync('full'))
      local archive = good(mail('list', 'home', 'Archive', {}))
      assert.equal(2, archive.total)
      assert.is_false(archive.items[1].pending)
      assert.is_not_nil(archive.items[1].uid)
      local again = good(sync('full')).accounts.home
      assert.equal(0, again.new + again.updated + again.expunged + again.uploaded)
    end)

    it('carries in one sync what was done in a folder that another client renamed', function()
      local function folder(...)
        dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', select(1, ...), '-u', 'home', select(2, ...) } })
      end
      folder('create', 'Old')
      dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Old', count = 6 })
      -- As above: Dovecot may tell of some of them a moment later.
      child.wait_for(function()
        good(sync('full'))
        local page = mail('list', 'home', 'Old', {}).result
        return page and #page.items == 6
      end, 10000, 'the six messages')
      for round, kind in ipairs({ 'full', 'inbox' }) do
        local before, after = ({ 'Old', 'New' })[round], ({ 'New', 'Newer' })[round]
        local items = good(mail('list', 'home', before, {})).items
        folder('rename', before, after)
        good(mail('flag', 'home', before, items[1].id, { add = { 'flagged' } }))
        good(mail('move', 'home', before, items[2].id, 'Archive'))
        good(mail('move', 'home', 'INBOX', good(mail('list', 'home', 'INBOX', {})).items[1].id, before))
        local result = good(sync(kind)).accounts.home
        assert.same({ 3, {} }, { result.uploaded, result.refused })
        assert.equal(6, #uids(dovecot, { 'mailbox', after }))
        assert.equal(round, #uids(dovecot, { 'mailbox', 'Archive' }))
        assert.equal(items[1].id, good(mail('list', 'home', after, { query = 'is:flagged' })).items[1].id)
        good(mail('flag', 'home', after, items[1].id, { remove = { 'flagged' } }))
        good(sync('full'))
        assert.equal('not_found', mail('list', 'home', before, {}).err.code)
      end
    end)

    it('takes the last action back', function()
      good(sync('full'))
      local items = good(mail('list', 'home', 'INBOX', { page_size = 10 })).items
      good(mail('delete', 'home', 'INBOX', { items[1].id }))
      good(sync('full'))
      assert.equal(1, #uids(dovecot, { 'mailbox', 'Trash' }))
      good(mail('undo', {}))
      good(sync('full'))
      good(sync('full'))
      assert.equal(0, #uids(dovecot, { 'mailbox', 'Trash' }))
      assert.equal(60, #uids(dovecot, { 'mailbox', 'INBOX' }))
      local back = good(mail('list', 'home', 'INBOX', { page_size = 60 }))
      assert.equal(60, back.total)
    end)
  end)
end

describe('what syncs did', function()
  after_each(function()
    child.stop_all()
    servers.stop()
  end)

  it('is counted by account and for all of them', function()
    local dovecot = servers.dovecot({ users = { 'home' }, messages = 12 })
    start(dovecot)
    good(sync('full'))
    good(sync('inbox'))
    dovecot:stop()
    assert.is_not_nil(sync('full').err)
    local counted = nvim.lua('return require("himalaya").metrics().sync')
    local home = counted.accounts.home
    assert.equal(2, home.cycles)
    assert.equal(12, home.new)
    assert.is_true(home.bytes > 0 and home.round_trips > 0 and home.connections_opened > 0)
    assert.equal(2, home.durations.count)
    assert.is_true(home.durations.max_ms >= home.durations.p50_ms)
    local failed = 0
    for _, times in pairs(home.failures) do
      failed = failed + times
    end
    assert.equal(1, failed)
    assert.equal(home.cycles, counted.cycles)
    assert.equal(home.bytes, counted.bytes)
  end)
end)
