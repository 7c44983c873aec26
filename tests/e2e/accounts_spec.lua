-- needs dovecot
-- Several accounts in one Neovim: what is done in one stays apart from the others, and what is taken back is what was
-- done last, wherever that was.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

local nvim, dovecot

local function mail(...)
  return support.call(nvim, ...)
end

local function sync(opts)
  return nvim.await(function(done, given)
    require('himalaya.sync.manager').start_sync('full', given, function(err, result)
      done({ err = err and { code = err.code, message = err.message }, result = result })
    end)
  end, opts or vim.empty_dict())
end

local function first(account, folder)
  return good(mail('list', account, folder, { page_size = 1 })).items[1]
end

before_each(function()
  dovecot = servers.dovecot({ users = { 'home', 'office' }, messages = 20 })
  nvim = child.start({
    setup = {
      accounts = {
        home = { email = 'home@example.org', imap = dovecot:imap('home') },
        office = { email = 'office@example.org', imap = dovecot:imap('office') },
      },
      async = { enabled = false },
    },
  })
  good(sync())
end)
after_each(function()
  child.stop_all()
  servers.stop()
end)

describe('undo over accounts', function()
  it('takes back what was done last, wherever that was, under the name it was asked for by', function()
    local one, two = first('home', 'INBOX'), first('office', 'INBOX')
    good(mail('delete', 'home', 'INBOX', one.id))
    good(mail('move', 'office', 'INBOX', two.id, 'Archive'))
    -- What changes nothing is nothing to take back.
    assert.is_nil(good(mail('flag', 'home', 'Trash', one.id, { remove = { 'flagged' } })).op)
    assert.same({ op = 'move', ids = { two.id } }, good(mail('undo', {})))
    assert.same({ op = 'delete', ids = { one.id } }, good(mail('undo', {})))
    assert.equal('not_found', mail('undo', {}).err.code)
    assert.equal(one.id, first('home', 'INBOX').id)
    assert.equal(two.id, first('office', 'INBOX').id)
    -- One account's last action, whatever was done elsewhere since.
    good(mail('copy', 'home', 'INBOX', one.id, 'Archive'))
    good(mail('flag', 'office', 'INBOX', two.id, { add = { 'flagged' } }))
    assert.equal('copy', good(mail('undo', { account = 'home' })).op)
    assert.equal('flag', good(mail('undo', {})).op)
    assert.is_false(first('office', 'INBOX').flags.flagged)
  end)
end)

describe('how far a first sync is', function()
  it('counts each message once, its text with it', function()
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Old' } })
    for _ = 1, 5 do
      dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Old' })
    end
    -- A store of its own, so that all is new.
    local other = child.start({
      setup = {
        accounts = { home = { email = 'home@example.org', imap = dovecot:imap('home') } },
        async = { enabled = false },
      },
    })
    local seen = other.await(function(done)
      local manager, seen = require('himalaya.sync.manager'), {}
      local timer = vim.uv.new_timer()
      timer:start(
        0,
        1,
        vim.schedule_wrap(function()
          local status = manager.get_sync_status()
          if status.state == 'syncing' and status.messages_total > 0 then
            table.insert(seen, { status.messages_done, status.messages_total, status.percent or 0 })
          end
        end)
      )
      manager.start_sync('full', {}, function()
        timer:stop()
        done(seen)
      end)
    end)
    assert.is_true(#seen > 0)
    local done, percent = 0, 0
    for _, each in ipairs(seen) do
      assert.equal(25, each[2])
      assert.is_true(each[1] >= done and each[1] <= 25)
      assert.is_true(each[3] >= percent and each[3] < 100)
      done, percent = each[1], each[3]
    end
  end)
end)

describe('an account that is not there', function()
  it('fails by itself, and leaves no error behind', function()
    local answer = sync({ accounts = { 'home', 'nobody' } })
    assert.is_nil(answer.err)
    assert.equal('config', answer.result.accounts.nobody.err.code)
    assert.is_nil(answer.result.accounts.home.err)
    assert.equal('config', sync({ account = 'nobody' }).err.code)
    local status, names = unpack(nvim.lua(function()
      local himalaya = require('himalaya')
      return { himalaya.status().sync, vim.tbl_keys(himalaya.status().accounts) }
    end))
    assert.equal('idle', status.state)
    assert.is_nil(status.last_error)
    table.sort(names)
    assert.same({ 'home', 'office' }, names)
  end)
end)
