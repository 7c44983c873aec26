-- What a server misses is not believed at once: many missing messages wait for the user's yes, given by a real key; and
-- a folder that is made anew on the server keeps what the user did there.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')

local nvim, dovecot

local function start()
  nvim = support.start(dovecot)
end

local function try_sync(kind)
  return nvim.await(function(done, what)
    require('himalaya.sync.manager').start_sync(what, {}, function(err, result)
      done({ err = err and err.message, result = result })
    end)
  end, kind)
end

local function sync(kind)
  local answer = try_sync(kind)
  assert.is_nil(answer.err)
  return answer.result.accounts.home
end

local function mail(name, ...)
  return support.good(support.call(nvim, name, ...))
end

local function doveadm(...)
  local answer = dovecot:ask({ ['do'] = 'doveadm', args = { ... } })
  return answer.out or ''
end

local function total(folder)
  local out = doveadm('search', '-u', 'home', 'mailbox', folder)
  return select(2, out:gsub('[^\n]+', ''))
end

-- A full sync asks Dovecot for the state of every folder, which it tells from notes that may be a moment old; to sync
-- the inbox opens it.
local function sync_inbox()
  return sync('inbox')
end

local function wait_for_text(text)
  nvim.wait_for(function()
    return table.concat(nvim.screen(), '\n'):find(text, 1, true)
  end, 15000, ('`%s` on the screen'):format(text))
end

describe('the guard', function()
  after_each(function()
    child.stop_all()
    servers.stop()
  end)

  it('keeps what many are missing of, until the user says yes', function()
    -- Without CONDSTORE and QRESYNC an expunge is only ever seen as something missing.
    dovecot = servers.dovecot({ users = { 'home' }, messages = 60, tier = 3 })
    start()
    sync('full')
    doveadm('expunge', '-u', 'home', 'mailbox', 'INBOX', 'uid', '1:40')
    dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 2 })
    local result = sync_inbox()
    assert.equal(2, result.new)
    assert.equal(0, result.expunged)
    assert.same({ 'INBOX' }, result.withheld)
    assert.equal(62, mail('count', 'home', 'INBOX').total)
    nvim.resize(100, 30)
    nvim.type(':HimalayaSyncInfo<CR>')
    wait_for_text('home, INBOX: 40 messages are missing on the server.')
    wait_for_text('y deletes them here, too')
    -- Another sync changes nothing: only the user's word does.
    assert.equal(0, sync('full').expunged)
    assert.equal(62, mail('count', 'home', 'INBOX').total)
    nvim.type('y')
    nvim.wait_for(function()
      return mail('count', 'home', 'INBOX').total == 22
    end, 15000, 'the deletions')
    nvim.wait_for_message('40 messages of INBOX left.')
    nvim.wait_for(function()
      return not table.concat(nvim.screen(), '\n'):find('missing on the server', 1, true)
    end)
    nvim.type('y')
    nvim.wait_for_message('No deletion waits for an answer.')
    assert.equal(0, sync('full').expunged)
  end)

  it('lets a few go, and what the user deletes', function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 60, tier = 3 })
    start()
    sync('full')
    doveadm('expunge', '-u', 'home', 'mailbox', 'INBOX', 'uid', '1:10')
    assert.equal(10, sync_inbox().expunged)
    assert.equal(50, mail('count', 'home', 'INBOX').total)
  end)
end)

for tier = 1, 3, 2 do
  describe('a folder made anew on the server, in tier ' .. tier, function()
    after_each(function()
      child.stop_all()
      servers.stop()
    end)

    it('keeps its messages, their ids and what the user did to them', function()
      dovecot = servers.dovecot({ users = { 'home' }, messages = 30, tier = tier })
      start()
      sync('full')
      local items = mail('list', 'home', 'INBOX', {}).items
      mail('flag', 'home', 'INBOX', { items[1].id }, { add = { 'flagged', 'marked' } })
      mail('move', 'home', 'INBOX', { items[2].id, items[3].id }, 'Archive')
      mail('move', 'home', 'INBOX', { items[4].id }, 'Archive')
      mail('move', 'home', 'Archive', { items[4].id }, 'Drafts') -- before anybody knows its name there
      doveadm('mailbox', 'update', '-u', 'home', '--uid-validity', '77', 'INBOX')
      -- Dovecot shows whoever has the folder open the door, each connection once.
      local refused, withheld, new = {}, {}, 0
      nvim.wait_for(function()
        local answer = try_sync('full')
        if answer.err then
          return false
        end
        local result = answer.result.accounts.home
        vim.list_extend(refused, result.refused)
        vim.list_extend(withheld, result.withheld)
        new = new + result.new
        return nvim.await(function(done)
          require('himalaya.native').mail.pending('home', function(_, count)
            done(count)
          end)
        end) == 0
      end, 20000, 'everything carried out')
      assert.same({ {}, {}, 0 }, { refused, withheld, new })
      assert.equal(27, total('INBOX'))
      assert.equal(2, total('Archive'))
      assert.equal(1, total('Drafts'))
      assert.equal(27, mail('count', 'home', 'INBOX').total)
      assert.equal(2, mail('count', 'home', 'Archive').total)
      assert.equal(1, mail('count', 'home', 'Drafts').total)
      local now = mail('list', 'home', 'INBOX', {}).items
      assert.equal(items[1].id, now[1].id)
      assert.is_true(now[1].flags.flagged)
      assert.is_false(now[1].pending)
      assert.equal(items[4].id, mail('list', 'home', 'Drafts', {}).items[1].id)
      local again = sync('full')
      assert.equal(0, again.new + again.updated + again.expunged + again.uploaded)
    end)
  end)
end
