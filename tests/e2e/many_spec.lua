-- needs dovecot
-- Thousands of messages changed at once: all of it reaches the server.
local child = require('tests.child')
local imap = require('tests.imap_support')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

local COUNT = 2000

describe('thousands of messages', function()
  after_each(function()
    child.stop_all()
    servers.stop()
  end)

  it('are flagged, moved, taken back, copied and deleted, on the server too', function()
    local dovecot = servers.dovecot({ users = { 'home' }, messages = COUNT })
    local nvim = support.start(dovecot)
    local function sync()
      local account = good(nvim.await(function(done)
        require('himalaya.sync.manager').start_sync('full', {}, function(err, result)
          done({ err = err and { code = err.code, message = err.message }, result = result })
        end)
      end)).accounts.home
      assert.is_nil(account.err and account.err.message)
      assert.same({}, account.refused or {})
      return account
    end
    local function act(name, ...)
      return good(support.call(nvim, name, 'home', 'INBOX', ...))
    end
    sync()
    local ids = {}
    for page = 1, COUNT / 500 do
      for _, item in ipairs(act('list', { page = page, page_size = 500 }).items) do
        ids[#ids + 1] = item.id
      end
    end
    assert.equal(COUNT, #ids)
    -- Each time on a connection of its own: one that has the folder open may not have heard of the latest.
    local function on_server(folder, criteria)
      local client = imap.open(dovecot)
      local uids = imap.result(client.search, client, folder, criteria)
      client:close()
      return #uids
    end

    act('flag', ids, { add = { 'flagged', 'todo' } })
    assert.equal(COUNT, sync().uploaded)
    assert.equal(COUNT, on_server('INBOX', 'FLAGGED KEYWORD todo'))

    act('move', ids, 'Archive')
    good(support.call(nvim, 'undo', {}))
    sync()
    assert.equal(COUNT, on_server('INBOX', 'ALL'))
    act('move', ids, 'Archive')
    assert.equal(COUNT, sync().uploaded)
    assert.same({ 0, COUNT }, { on_server('INBOX', 'ALL'), on_server('Archive', 'FLAGGED KEYWORD todo') })

    good(support.call(nvim, 'copy', 'home', 'Archive', ids, 'INBOX'))
    assert.equal(COUNT, sync().uploaded)
    assert.same({ COUNT, COUNT }, { on_server('INBOX', 'ALL'), on_server('Archive', 'ALL') })

    good(support.call(nvim, 'delete', 'home', 'Archive', ids))
    sync()
    assert.same({ 0, COUNT }, { on_server('Archive', 'ALL'), on_server('Trash', 'ALL') })
  end)
end)
