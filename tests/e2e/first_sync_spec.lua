-- A first sync large enough that bodies come along with their envelopes: nothing is missing, doubled or without text.
local child = require('tests.child')
local servers = require('tests.servers')

local GENERATED = 1300
local MESSAGES = 2 * GENERATED + 1

describe('a first sync of many messages', function()
  after_each(function()
    child.stop_all()
    servers.stop()
  end)

  it('brings each once, with its text, however large', function()
    local dovecot = servers.dovecot({ users = { 'home' }, messages = GENERATED, mechanisms = 'plain' })
    local large = ('A line of a long report.\r\n'):rep(20000)
    dovecot:ask({
      ['do'] = 'deliver',
      user = 'home',
      message = 'From: desk@example.org\r\nSubject: The long report\r\nMessage-ID: <long@example.org>\r\n\r\n'
        .. large,
    })
    -- Newer ones on top, so that the large one is not in what is asked for first.
    dovecot:ask({
      ['do'] = 'doveadm',
      args = { 'copy', '-u', 'home', 'INBOX', 'mailbox', 'INBOX', 'uid', ('1:%d'):format(GENERATED) },
    })
    local nvim = child.start({
      setup = { accounts = { home = { imap = dovecot:imap('home') } }, async = { enabled = false } },
    })
    local answer = nvim.await(function(done)
      require('himalaya.sync.manager').start_sync('full', {}, function(err, result)
        done({ err = err and err.message, result = result })
      end)
    end)
    assert.is_nil(answer.err)
    assert.equal(MESSAGES, answer.result.accounts.home.new)
    local page = nvim.await(function(done)
      require('himalaya.mail').list('home', 'INBOX', { page_size = 5000 }, function(err, listed)
        local seen = {}
        local without, largest = 0, 0
        for _, item in ipairs(listed.items) do
          seen[item.uid] = (seen[item.uid] or 0) + 1
          largest = math.max(largest, item.size)
          without = without + (item.has_body and 0 or 1)
        end
        local doubled = 0
        for _, times in pairs(seen) do
          doubled = doubled + times - 1
        end
        done({
          total = listed.total,
          shown = #listed.items,
          without = without,
          doubled = doubled,
          large = largest > 400000,
        })
      end)
    end)
    assert.same({ total = MESSAGES, shown = MESSAGES, without = 0, doubled = 0, large = true }, page)
    local again = nvim.await(function(done)
      require('himalaya.sync.manager').start_sync('full', {}, function(_, result)
        done(result.accounts.home)
      end)
    end)
    assert.equal(0, again.new + again.updated + again.expunged)
  end)
end)
