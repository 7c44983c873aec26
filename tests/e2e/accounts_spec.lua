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

local function sync(opts, kind)
  return nvim.await(function(done, given, what)
    require('himalaya.sync.manager').start_sync(what, given, function(err, result)
      done({ err = err and { code = err.code, message = err.message }, result = result })
    end)
  end, opts or vim.empty_dict(), kind or 'full')
end

--- What is new in the inbox of `home`. It is opened for that: of folders that it is only asked about Dovecot tells from
--- notes that may be a moment old.
local function new_at_home()
  return good(sync({ account = 'home' }, 'inbox')).accounts.home.new
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

  it('passes by what the server refused', function()
    local function papers(what)
      dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', what, '-u', 'office', 'Papers' } })
    end
    papers('create')
    good(sync())
    local one, two = first('home', 'INBOX'), first('office', 'INBOX')
    good(mail('flag', 'home', 'INBOX', one.id, { add = { 'flagged' } }))
    good(mail('move', 'office', 'INBOX', two.id, 'Papers'))
    papers('delete')
    assert.equal(1, #good(sync()).accounts.office.refused)
    assert.same({ op = 'flag', ids = { one.id } }, good(mail('undo', {})))
    assert.equal('not_found', mail('undo', {}).err.code)
  end)
end)

describe('options that are replaced while accounts are open', function()
  local function again(accounts, more)
    nvim.lua(function(given, rest)
      require('himalaya').setup(
        vim.tbl_extend('force', { accounts = given, async = { enabled = false } }, rest or {})
      )
    end, accounts, more)
  end

  local function connected(user)
    local who = dovecot:ask({ ['do'] = 'doveadm', args = { 'who', '-1' } }).out
    return who:find('\n' .. user .. ' ') ~= nil
  end

  it('hold from the next call on', function()
    local one = first('home', 'INBOX')
    assert.is_true(connected('office'))
    -- The same ones: nothing is closed.
    local home, office = { imap = dovecot:imap('home') }, { imap = dovecot:imap('office') }
    again({ home = vim.tbl_extend('force', home, { email = 'home@example.org' }), office = office })
    assert.equal(0, good(sync()).accounts.home.connections_opened)
    -- One account less, and another server for the other.
    again({ home = { imap = dovecot:imap('home', { port = 1 }) } })
    assert.equal('offline', sync({ account = 'home' }).err.code)
    assert.equal('config', mail('list', 'office', 'INBOX', {}).err.code)
    nvim.wait_for(function()
      return not connected('office') and not connected('home')
    end, 10000, 'the end of the connections')
    assert.equal(one.id, first('home', 'INBOX').id)
    -- What was said in between is not what counts.
    again({ home = { imap = dovecot:imap('home', { port = 1 }) }, office = office })
    again({ home = home, office = office })
    assert.is_nil(good(sync()).accounts.home.err)
  end)

  it('end a sync that was under the old ones', function()
    dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 500 })
    local answer = nvim.await(function(done, imap)
      require('himalaya.sync.manager').start_sync('full', { account = 'home' }, function(err)
        done({ code = err and err.code, state = require('himalaya').status().sync.state })
      end)
      require('himalaya').setup({
        accounts = { home = { imap = imap, folders = { exclude = { 'Archive' } } } },
        async = { enabled = false },
      })
    end, dovecot:imap('home'))
    assert.same({ code = 'cancelled', state = 'idle' }, answer)
    assert.equal(500, new_at_home())
  end)

  it('are followed by the timer and by push', function()
    local home = { imap = dovecot:imap('home') }
    again({ home = home }, { async = { startup_delay = 3600 } })
    nvim.lua(function()
      _G.new = {}
      vim.api.nvim_create_autocmd('User', {
        pattern = 'HimalayaNewMail',
        callback = function(event)
          _G.new[event.data.account] = (_G.new[event.data.account] or 0) + event.data.count
        end,
      })
      require('himalaya.sync.manager').start_auto_sync()
    end)
    again({ home = home, office = { imap = dovecot:imap('office') } }, { async = { startup_delay = 3600 } })
    for _, user in ipairs({ 'home', 'office' }) do
      nvim.wait_for(function()
        dovecot:ask({ ['do'] = 'deliver', user = user })
        return nvim.lua('return _G.new[...] ~= nil', user)
      end, 20000, 'new mail of ' .. user)
    end
    again({ home = home }, { sync = { interval = 1 }, async = { startup_delay = 3600 } })
    local before = nvim.lua([[return require('himalaya').status().accounts.home.last_sync]])
    nvim.wait_for(function()
      local status = nvim.lua([[return require('himalaya').status()]])
      return status.sync.next_sync - os.time() <= 1 and status.accounts.home.last_sync > before
    end, 20000, 'a sync by the timer')
  end)
end)

describe('a callback that raises', function()
  it('stops nobody else', function()
    local seen = nvim.await(function(done)
      require('himalaya.config').get().sync.max_parallel_accounts = 1
      local manager, seen = require('himalaya.sync.manager'), {}
      local function note(what)
        return function()
          table.insert(seen, what)
          if #seen == 3 then
            vim.schedule(function()
              done(seen, manager.get_sync_status().state)
            end)
          end
          error('on purpose')
        end
      end
      manager.start_sync('full', { account = 'home' }, note('first'))
      manager.start_sync('full', { account = 'home' }, note('joined'))
      manager.start_sync('full', { account = 'office' }, note('queued'))
    end)
    assert.same({ 'first', 'joined', 'queued' }, seen)
    assert.equal('idle', nvim.lua([[return require('himalaya').status().sync.state]]))
    nvim.wait_for(function()
      return nvim.messages():find('A callback raised: .*on purpose')
    end, 5000, 'what was raised to be told')
  end)
end)

describe('a sync that is ended', function()
  it('has begun when it is told of, and has ended when its callback comes', function()
    dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 500 })
    local answer = nvim.await(function(done)
      local manager, states, joined = require('himalaya.sync.manager'), {}, nil
      local function note()
        table.insert(states, manager.get_sync_status().state)
      end
      vim.api.nvim_create_autocmd('User', { pattern = 'HimalayaSyncStart', once = true, callback = note })
      local began = manager.start_sync('full', { account = 'home' }, function(err)
        note()
        done({ code = err.code, states = states, joined = joined })
      end)
      local second = manager.start_sync('full', { account = 'home' }, function(err)
        joined = err.code
      end)
      vim.schedule(function()
        second:cancel()
        note()
        vim.schedule(function()
          began:cancel()
          note()
        end)
      end)
    end)
    assert.same({
      code = 'cancelled',
      states = { 'syncing', 'syncing', 'cancelling', 'idle' },
      joined = 'cancelled',
    }, answer)
    assert.equal(500, new_at_home())
  end)

  it('was without progress for `sync_timeout`, and nobody else had to wait', function()
    local proxy = servers.proxy({ to = dovecot.port })
    -- As long as a slow machine may stand still where nothing is wrong.
    local patience = child.limit(1000) / 1000
    nvim.lua(function(home, office, seconds)
      require('himalaya').setup({
        accounts = { home = { imap = home }, office = { imap = office } },
        async = { enabled = false, sync_timeout = seconds },
      })
    end, dovecot:imap('home', { tls = 'none', port = proxy.port }), dovecot:imap('office'), patience)
    good(sync())
    proxy:ask({ ['do'] = 'harm', harm = 'stall' })
    proxy:ask({ ['do'] = 'set', new = 'silent' })
    local answer = nvim.await(function(done)
      local manager, seen = require('himalaya.sync.manager'), {}
      manager.start_sync('full', { account = 'office' }, function(err)
        seen.office = err and err.code or 'well'
      end)
      manager.start_sync('full', { account = 'home' }, function(err)
        seen.home, seen.message, seen.retryable = err.code, err.message, err.retryable
        local status = require('himalaya').status()
        seen.last_error, seen.states = status.sync.last_error.code, { status.accounts.home.state }
        table.insert(seen.states, status.accounts.office.state)
        done(seen)
      end)
    end)
    assert.same({
      office = 'well',
      home = 'timeout',
      message = ('The sync of home made no progress for %d seconds.'):format(patience),
      retryable = true,
      last_error = 'timeout',
      states = { 'backoff', 'idle' },
    }, answer)
    proxy:ask({ ['do'] = 'set', new = 'pass' })
    assert.is_nil(good(sync({ account = 'home' })).accounts.home.err)
  end)
end)

describe('a clock that is set back', function()
  it('holds up no sync', function()
    nvim.lua(function()
      _G.synced = 0
      vim.api.nvim_create_autocmd('User', {
        pattern = 'HimalayaSynced',
        callback = function()
          _G.synced = _G.synced + 1
        end,
      })
      local now = os.time
      rawset(os, 'time', function(...)
        return select('#', ...) > 0 and now(...) or now() - (_G.synced > 0 and 86400 or 0)
      end)
      local config = require('himalaya.config').get()
      config.sync.interval, config.sync.push, config.async.startup_delay = 1, false, 0
      require('himalaya.sync.manager').start_auto_sync()
    end)
    nvim.wait_for('return _G.synced >= 6', 30000, 'syncs of both accounts by the timer')
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

describe('an account that is not said completely', function()
  it('is an error each time, and keeps no other one waiting', function()
    nvim.lua(function(imap)
      require('himalaya').setup({
        accounts = {
          home = { imap = imap },
          nowhere = { email = 'x@example.org', imap = { auth = { value = 'x' } } },
          unknown = { email = 'x@example.org', imap = { host = 'localhost' } },
        },
        async = { enabled = false },
      })
    end, dovecot:imap('home'))
    for _ = 1, 2 do
      local answer = mail('list', 'nowhere', 'INBOX', {})
      assert.equal('config', answer.err.code)
      assert.equal(
        'The account cannot be opened: `accounts.nowhere.imap.host` is missing.',
        answer.err.message
      )
      assert.equal('config', sync({ account = 'unknown' }).err.code)
      local all = good(sync()).accounts
      assert.is_nil(all.home.err)
      assert.same({ 'config', 'config' }, { all.nowhere.err.code, all.unknown.err.code })
      assert.equal('idle', nvim.lua([[return require('himalaya').status().sync.state]]))
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
