-- needs dovecot
-- Over a line of 40 KiB/s the bodies of a first sync take half a minute: what the user does meanwhile, and new mail, do
-- not wait for them.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')

local MESSAGES = 300

local nvim, dovecot, proxy

local function mail(name, ...)
  return support.good(support.call(nvim, name, ...))
end

local function search(folder, ...)
  local args = { 'search', '-u', 'home', 'mailbox', folder, ... }
  local out = dovecot:ask({ ['do'] = 'doveadm', args = args }).out or ''
  return select(2, out:gsub('[^\n]+', ''))
end

local function begin(kind, name)
  nvim.lua(function(what, into)
    require('himalaya.sync.manager').start_sync(what, { again = true }, function(err, result)
      _G[into] = { err = err and err.message, home = result and result.accounts.home }
    end)
  end, kind, name)
end

local function ended(name)
  local found = nvim.lua('return _G[...]', name)
  return found ~= vim.NIL and found
end

local function without_text()
  return nvim.await(function(done, count)
    require('himalaya.mail').list('home', 'INBOX', { page_size = count }, function(err, page)
      assert(not err, err and err.message)
      local missing = 0
      for _, item in ipairs(page.items) do
        missing = missing + (item.has_body and 0 or 1)
      end
      done(missing)
    end)
  end, MESSAGES + 10)
end

describe('a first sync over a slow line', function()
  after_each(function()
    child.stop_all()
    servers.stop()
  end)

  it('lets changes of the user, and new mail, pass', function()
    dovecot = servers.dovecot({
      users = { 'home' },
      messages = MESSAGES,
      warm = true,
      mechanisms = 'plain',
      no_compress = true,
    })
    proxy = servers.proxy({ to = dovecot.tls_port, delay = 20, mbit = 1 })
    nvim = child.start({
      setup = {
        accounts = {
          home = { email = 'home@example.org', imap = dovecot:imap('home', { port = proxy.port }) },
        },
        async = { enabled = false },
      },
    })
    begin('full', 'first')
    -- All envelopes and the first bodies are here: from now on the line is slow.
    nvim.wait_for(function()
      local status = nvim.lua('return require("himalaya.sync.manager").get_sync_status()')
      if ended('first') then
        error('the bodies were faster than this test')
      end
      if status.messages_total < MESSAGES then
        return false
      end
      proxy:ask({ ['do'] = 'set', mbit = 0.32 })
      return nvim.await(function(done)
        require('himalaya.mail').count('home', 'INBOX', function(_, count)
          done(count and count.total)
        end)
      end) == MESSAGES
    end, 60000, 'all envelopes')

    local items = mail('list', 'home', 'INBOX', {}).items
    mail('flag', 'home', 'INBOX', { items[1].id }, { add = { 'flagged' } })
    mail('move', 'home', 'INBOX', { items[2].id }, 'Archive')
    dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
    begin('inbox', 'second')
    nvim.wait_for(function()
      return search('INBOX', 'flagged') > 0 and search('Archive', 'all') == 1
    end, 30000, 'the changes on the server')
    assert.is_false(ended('first'))
    nvim.wait_for(function()
      return ended('second')
    end, 60000, 'the end of the second sync')
    assert.is_false(ended('first'))
    local second = ended('second')
    assert.is_nil(second.err)
    assert.equal(2, second.home.uploaded)
    assert.equal(1, second.home.new)
    assert.is_true(without_text() > 0)

    proxy:ask({ ['do'] = 'set', mbit = 100 })
    nvim.wait_for(function()
      return ended('first')
    end, 60000, 'the end of the first sync')
    local first = ended('first')
    assert.is_nil(first.err)
    assert.equal(MESSAGES, first.home.new)
    assert.equal(0, without_text())
  end)
end)
