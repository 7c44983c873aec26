-- needs dovecot
-- Syncs of one folder by its name: what the user leaves out of all syncs is read when it is asked for, and a name that
-- there is not is an error of that call alone.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

local nvim, dovecot

local function start(change)
  nvim = child.start({
    setup = {
      accounts = {
        home = {
          email = 'home@example.org',
          imap = dovecot:imap('home', change),
          folders = { exclude = { 'Archive' } },
        },
      },
      async = { enabled = false, startup_delay = 3600 },
      performance = { retry_attempts = 1 },
    },
  })
end

local function sync(kind, folder)
  return nvim.await(function(done, what, where)
    require('himalaya.sync.manager').start_sync(what, { folder = where }, function(err, result)
      vim.schedule(function()
        local status = require('himalaya').status()
        done({
          err = err and { code = err.code, message = err.message, hint = err.hint },
          result = result,
          state = status.accounts.home.state,
          failed = status.sync.last_error and status.sync.last_error.code,
        })
      end)
    end)
  end, kind, folder)
end

local function count(folder)
  return good(support.call(nvim, 'count', 'home', folder)).total
end

before_each(function()
  dovecot = servers.dovecot({ users = { 'home' }, messages = 10 })
  dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Archive', count = 3 })
end)
after_each(function()
  child.stop_all()
  servers.stop()
end)

describe('a folder that is left out of syncs', function()
  it('is read when a sync asks for it by its name, known or not', function()
    start()
    assert.equal(3, good(sync('folder', 'Archive')).accounts.home.new)
    assert.equal(3, count('Archive'))
    nvim.stop()
    start()
    good(sync('full'))
    assert.is_nil(count('Archive'))
    assert.equal(3, good(sync('folder', 'Archive')).accounts.home.new)
    dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Archive' })
    assert.equal(0, good(sync('full')).accounts.home.new)
    assert.equal(3, count('Archive'))
  end)

  it('is not read because somebody looks at it', function()
    start()
    good(sync('full'))
    nvim.lua(function()
      local native = require('himalaya.native').mail
      local push = native.push
      native.push = function(name, folders, ...)
        _G.pushed = vim.list_extend(_G.pushed or {}, folders or {})
        return push(name, folders, ...)
      end
      require('himalaya.sync.manager').start_auto_sync()
    end)
    good(support.call(nvim, 'list', 'home', 'Archive', {}))
    nvim.wait_for('return vim.tbl_contains(_G.pushed, "Archive")', 20000)
    -- The watch was begun anew: once it tells of the inbox, it would have told of the other folder.
    nvim.wait_for(function()
      dovecot:ask({ ['do'] = 'deliver', user = 'home' })
      return count('INBOX') > 12
    end, 30000, 'the inbox by push')
    assert.is_nil(count('Archive'))
  end)
end)

describe('a folder that is not on the server', function()
  it('is an error of its call, and the account is as well as before', function()
    local function papers(what)
      dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', what, '-u', 'home', 'Papers' } })
    end
    papers('create')
    start()
    good(sync('full'))
    for _, folder in ipairs({ 'Nowhere', 'Nowhere\27[31m' }) do
      local answer = sync('folder', folder)
      assert.equal('not_found', answer.err.code)
      assert.matches('^The server has no folder Nowhere', answer.err.message)
      assert.is_nil(answer.err.message:find('%c'))
      assert.same({ 'idle' }, { answer.state, answer.failed })
    end
    -- One that was there when it was last looked.
    papers('delete')
    local answer = sync('folder', 'Papers')
    assert.equal('not_found', answer.err.code)
    assert.same({ 'idle' }, { answer.state, answer.failed })
  end)

  it('does not hide that the account fails', function()
    local proxy = servers.proxy({ to = dovecot.port })
    start({ tls = 'none', port = proxy.port })
    good(sync('full'))
    proxy:ask({ ['do'] = 'harm', harm = 'cut' })
    proxy:ask({ ['do'] = 'set', new = 'refuse' })
    local failed = sync('full')
    assert.same({ 'offline', 'backoff', 'offline' }, { failed.err.code, failed.state, failed.failed })
    proxy:ask({ ['do'] = 'set', new = 'pass' })
    local answer = sync('folder', 'Nowhere')
    assert.same({ 'not_found', 'backoff', 'offline' }, { answer.err.code, answer.state, answer.failed })
    assert.equal('idle', sync('full').state)
  end)
end)
