-- A Neovim that is killed while it syncs, again and again, and a user who acts and a server that changes in between:
-- the next one goes on where it was, and nothing is lost or doubled. tests/proof tries every single place.
-- needs dovecot
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')

describe('a Neovim that is killed in the middle of a sync', function()
  local dovecot, dir, nvim

  before_each(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 3000 })
    dir = vim.fn.tempname()
    vim.fn.mkdir(dir, 'p')
  end)
  after_each(function()
    child.stop_all()
    servers.stop()
    vim.fn.delete(dir, 'rf')
  end)

  local function start()
    nvim = support.start(dovecot, { dir = dir })
  end

  local function call(name, ...)
    local answer = nvim.await(function(done, what, ...)
      local arguments = { ... }
      table.insert(arguments, function(err, result)
        done({ err = err and err.message, result = result })
      end)
      if what == 'sync' then
        return require('himalaya.sync.manager').start_sync(unpack(arguments))
      end
      require('himalaya.mail')[what](unpack(arguments, 1, #arguments))
    end, name, ...)
    assert.is_nil(answer.err)
    return answer.result
  end

  it('goes on where it was', function()
    local moved, flagged
    for at, done in ipairs({ 1, 300, 900, 1800 }) do
      start()
      nvim.lua("require('himalaya.sync.manager').start_sync('full', {}, function() _G.synced = true end)")
      nvim.wait_for(
        ("return _G.synced or require('himalaya.sync.manager').get_sync_status().messages_done >= %d"):format(
          done
        )
      )
      if at == 2 then
        -- What was answered is kept, whatever happens then.
        local page = call('list', 'home', 'INBOX', { page_size = 20 }).items
        flagged, moved = page[1], page[2]
        call('flag', 'home', 'INBOX', { flagged.id }, { add = { 'flagged', 'kept' } })
        call('move', 'home', 'INBOX', { moved.id }, 'Archive')
      end
      nvim.kill()
      dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
      dovecot:ask({
        ['do'] = 'doveadm',
        args = { 'expunge', '-u', 'home', 'mailbox', 'INBOX', 'uid', tostring(at) },
      })
    end
    start()
    child.wait_for(function()
      local result = call('sync', 'full', {}).accounts.home
      return result.new + result.updated + result.expunged + result.uploaded == 0
    end, 20000, 'a sync that finds nothing to do')
    local inbox = {}
    local after
    repeat
      local page = call('list', 'home', 'INBOX', { page_size = 500, after = after })
      for _, item in ipairs(page.items) do
        assert.is_nil(inbox[item.uid])
        assert.is_false(item.pending)
        inbox[item.uid] = item
      end
      after = page.next
    until not after
    local there = dovecot:ask({ ['do'] = 'doveadm', args = { 'search', '-u', 'home', 'mailbox', 'INBOX' } })
    local count = 0
    for uid in there.out:gmatch('%S+ (%d+)\n') do
      assert.is_truthy(inbox[tonumber(uid)])
      count = count + 1
    end
    assert.equal(3000 + 4 - 4 - 1, count)
    assert.equal(count, vim.tbl_count(inbox))
    assert.is_true(inbox[flagged.uid].flags.flagged)
    assert.same({ 'kept' }, inbox[flagged.uid].keywords)
    local archive = call('list', 'home', 'Archive', {}).items
    assert.equal(1, #archive)
    assert.equal(moved.id, archive[1].id)
    assert.equal(#call('read', 'home', 'Archive', moved.id, {}).text > 0, true)
  end)
end)
