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
