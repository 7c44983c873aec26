-- needs dovecot
-- Options that change how the network, other programs and the machine are treated: each by what happens with another
-- value of it.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

local nvim, dovecot, proxy

---@param options? table
---@param account? table
local function start(options, account)
  nvim = child.start({
    setup = vim.tbl_deep_extend('force', {
      accounts = {
        home = vim.tbl_extend('force', {
          email = 'home@example.org',
          imap = dovecot:imap('home', proxy and { tls = 'none', port = proxy.port }),
        }, account or {}),
      },
      async = { enabled = false },
    }, options or {}),
  })
end

--- How a sync ended, and what the state was on the way.
local function sync(kind, opts)
  return nvim.await(function(done, what, given)
    local manager, seen = require('himalaya.sync.manager'), {}
    manager.on_change(function()
      local status = manager.get_sync_status()
      if status.state == 'backoff' and not seen.paused and #status.accounts > 0 then
        seen.paused = { code = status.last_error.code, again = status.next_sync ~= nil }
      end
    end)
    manager.start_sync(what, given, function(err, result)
      seen.err = err and { code = err.code, message = err.message }
      seen.result = result
      vim.schedule(function()
        seen.status = manager.get_sync_status()
        seen.account = require('himalaya').status().accounts.home
        done(seen)
      end)
    end)
  end, kind or 'full', opts or vim.empty_dict())
end

local function connections()
  return #proxy:ask({ ['do'] = 'report' }).connections
end

after_each(function()
  child.stop_all()
  proxy = nil
  servers.stop()
end)

describe('performance.retry_attempts', function()
  before_each(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 5 })
    proxy = servers.proxy({ to = dovecot.port })
  end)

  it('is how often a sync is tried again that the network ended', function()
    start({ performance = { retry_attempts = 2, exponential_backoff = false } })
    good(sync())
    proxy:ask({ ['do'] = 'harm', harm = 'cut' })
    proxy:ask({ ['do'] = 'set', new = 'drop' })
    proxy:ask({ ['do'] = 'forget' })
    local failed = sync()
    assert.equal('offline', failed.err.code)
    assert.same({ code = 'offline', again = true }, failed.paused)
    assert.equal(3, connections())
    assert.equal('backoff', failed.account.state)
    -- A server that is back before the last of them was never missed.
    nvim.lua(function(other)
      vim.api.nvim_create_autocmd('User', {
        pattern = 'HimalayaSyncStart',
        once = true,
        callback = function()
          local manager = require('himalaya.sync.manager')
          manager.on_change(function()
            _G.paused = _G.paused or manager.get_sync_status().state == 'backoff'
          end)
        end,
      })
      _G.other = other
    end)
    nvim.lua(function()
      require('himalaya.sync.manager').start_sync('full', {}, function(err)
        _G.ended = { err = err and err.code }
      end)
    end)
    nvim.wait_for('return _G.paused', 20000)
    proxy:ask({ ['do'] = 'set', new = 'pass' })
    local ended = nvim.wait_for('return _G.ended', 30000)
    assert.is_nil(ended.err)
    assert.equal('idle', nvim.lua([[return require('himalaya').status().accounts.home.state]]))
  end)

  it('of 0 is never, and a sync that waits for its next try can be ended', function()
    start({ performance = { retry_attempts = 0 } })
    proxy:ask({ ['do'] = 'set', new = 'drop' })
    local failed = sync()
    assert.equal('offline', failed.err.code)
    assert.is_nil(failed.paused)
    assert.equal(1, connections())
    nvim.stop()

    start({ performance = { retry_attempts = 100 } })
    nvim.lua(function()
      require('himalaya.sync.manager').start_sync('full', {}, function(err)
        _G.ended = err.code
      end)
    end)
    nvim.wait_for('return require("himalaya.sync.manager").get_sync_status().state == "backoff"', 20000)
    assert.is_true(nvim.lua('return require("himalaya.sync.manager").cancel_sync()'))
    assert.equal('cancelled', nvim.wait_for('return _G.ended', 20000))
    assert.equal('idle', nvim.lua('return require("himalaya.sync.manager").get_sync_status().state'))
  end)
end)

describe('performance.exponential_backoff', function()
  before_each(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 5 })
    proxy = servers.proxy({ to = dovecot.port })
    proxy:ask({ ['do'] = 'set', new = 'drop' })
  end)

  --- The seconds that four tries took; each pause is a quarter longer or shorter by chance.
  local function four_tries(exponential)
    start({ performance = { retry_attempts = 3, exponential_backoff = exponential } })
    local began = vim.uv.hrtime()
    assert.equal('offline', sync().err.code)
    assert.equal(4, connections())
    proxy:ask({ ['do'] = 'forget' })
    local took = (vim.uv.hrtime() - began) / 1e9
    nvim.stop()
    return took
  end

  it('makes each pause twice as long as the one before, else they are all the same', function()
    -- 1 + 2 + 4 seconds, or 1 + 1 + 1.
    assert.is_true(four_tries(true) > 5.2)
    local quickest = math.huge
    for _ = 1, 3 do
      quickest = quickest > 5.2 and math.min(quickest, four_tries(false)) or quickest
    end
    assert.is_true(quickest < 5.2, quickest)
  end)
end)

describe('sync.max_concurrent_syncs', function()
  before_each(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 5 })
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Slow' } })
    dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Slow', count = 3 })
    proxy = servers.proxy({ to = dovecot.port })
  end)

  --- Two syncs of one account, the first of which has no answer to its login yet.
  local function second_begins(at_once)
    start({ sync = { max_concurrent_syncs = at_once }, performance = { network_timeout = 600 } })
    good(sync())
    for _, folder in ipairs({ 'Slow', 'INBOX' }) do
      dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = folder, count = 1 })
    end
    proxy:ask({ ['do'] = 'set', new = 'silent' })
    proxy:ask({ ['do'] = 'harm', harm = 'cut' })
    proxy:ask({ ['do'] = 'forget' })
    nvim.lua(function()
      _G.ended = {}
      require('himalaya.sync.manager').start_sync('folder', { folder = 'Slow' }, function(err)
        _G.ended.slow = err and err.message or 'well'
      end)
    end)
    nvim.wait_for(function()
      local standing = nvim.lua('return require("himalaya.native").mail.standing("home")')
      return standing.syncing and standing.folder == 'Slow' and connections() > 0
    end, 30000, 'the first sync to open its folder')
    proxy:ask({ ['do'] = 'set', new = 'pass' })
    nvim.lua(function()
      require('himalaya.sync.manager').start_sync('inbox', {}, function(err)
        _G.ended.inbox = err and err.message or 'well'
      end)
    end)
  end

  local function first_goes_on()
    proxy:ask({ ['do'] = 'harm', harm = 'cut' })
    nvim.wait_for('return _G.ended.slow == "well" and _G.ended.inbox == "well"', 30000)
    assert.equal(6, good(support.call(nvim, 'count', 'home', 'INBOX')).total)
    assert.equal(4, good(support.call(nvim, 'count', 'home', 'Slow')).total)
  end

  it('of 1 has the second one wait until the first has read its folder', function()
    second_begins(1)
    -- It would open a connection of its own.
    for _ = 1, 50 do
      nvim.lua('return true')
    end
    assert.equal(1, connections())
    assert.is_nil(next(nvim.lua('return _G.ended')))
    first_goes_on()
  end)

  it('of 2 has it go on beside', function()
    second_begins(2)
    nvim.wait_for('return _G.ended.inbox == "well"', 30000)
    assert.is_nil(nvim.lua('return _G.ended').slow)
    first_goes_on()
  end)
end)

describe('performance.prefetch_enabled', function()
  before_each(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 5 })
  end)

  --- The list's subjects whose texts are here.
  local function here()
    local with = {}
    for at, item in ipairs(good(support.call(nvim, 'list', 'home', 'INBOX', {})).items) do
      with[at] = item.has_body
    end
    return with
  end

  local function read_the_second(enabled)
    nvim = screens.start(dovecot, {
      setup = {
        accounts = {
          home = { email = 'home@example.org', imap = dovecot:imap('home'), bodies = 'on_demand' },
        },
        performance = { prefetch_enabled = enabled },
      },
    })
    nvim.open()
    nvim.sync()
    assert.same({ false, false, false, false, false }, here())
    nvim.type('gg')
    local first = good(support.call(nvim, 'list', 'home', 'INBOX', {})).items[1].id
    nvim.wait_for(function()
      local item = nvim.item_here()
      if item.id ~= first then
        nvim.type('j')
      end
      return item.id == first
    end)
    nvim.type('j')
    nvim.wait_for(function()
      local item = nvim.item_here()
      return item.id and item.id ~= first
    end)
    nvim.type('<CR>')
    nvim.wait_for_filetype('message')
    nvim.wait_for_text('Subject: ')
  end

  it('fetches the texts beside the one that is read', function()
    read_the_second(true)
    nvim.wait_for(function()
      return vim.deep_equal({ true, true, true, false, false }, here())
    end, 20000, 'the texts above and below')
    assert.equal(2, nvim.lua('return require("himalaya").metrics().cache.prefetched'))
  end)

  it('of false fetches none', function()
    read_the_second(false)
    -- The next one is asked for behind it and would come first.
    local items = good(support.call(nvim, 'list', 'home', 'INBOX', {})).items
    good(support.call(nvim, 'read', 'home', 'INBOX', items[5].id, {}))
    assert.same({ false, true, false, false, true }, here())
  end)
end)

describe('performance.cache_size_mb', function()
  it('is how much of what was read is kept to be read again at once', function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 2 })
    for number = 1, 4 do
      local text = ('a line of some forty characters, no more\n'):rep(15000)
      screens.deliver(dovecot, { subject = 'large ' .. number, body = text })
    end
    start({ performance = { cache_size_mb = 1 } })
    good(sync())
    local items = good(support.call(nvim, 'list', 'home', 'INBOX', { query = 'subject:large' })).items
    assert.equal(4, #items)
    local function read_all()
      for _, item in ipairs(items) do
        good(support.call(nvim, 'read', 'home', 'INBOX', item.id, { max_bytes = 100 }))
      end
      return nvim.lua('return require("himalaya").metrics().cache')
    end
    read_all()
    local small = read_all()
    assert.equal(0, small.memory.hits)
    assert.is_true(small.memory.bytes <= 1024 * 1024 and small.evictions > 0)
    nvim.lua(function(imap)
      require('himalaya').setup({
        accounts = { home = { email = 'home@example.org', imap = imap } },
        async = { enabled = false },
        performance = { cache_size_mb = 10 },
      })
    end, dovecot:imap('home'))
    read_all()
    local hits = nvim.lua('return require("himalaya").metrics().cache.memory.hits')
    assert.equal(hits + 4, read_all().memory.hits)
  end)
end)

describe('async.background_priority', function()
  --- What a program says of its own priority, once it was started and could be given another.
  local function niceness(priority)
    return nvim.await(function(done, lane)
      require('himalaya.core.async_commands').queue_command(
        { 'sh', '-c', 'read go && nice' },
        { stdin = 'go\n' },
        function(err, result)
          done(err and err.message or tonumber(result.stdout))
        end,
        lane
      )
    end, priority)
  end

  it('has programs of the background make room', function()
    nvim = child.start({ setup = {} })
    local ours = niceness('user')
    assert.equal(ours, niceness('ui'))
    assert.equal(math.min(ours + 10, 19), niceness('background'))
    nvim.lua('require("himalaya").setup({ async = { background_priority = false } })')
    assert.equal(ours, niceness('background'))
  end)

  --- For each sync by the timer, how many ms before it the last key was pressed; `typing` is of 50 twentieths of a
  --- second how many have a key.
  local function pauses(quiet, typing, count)
    dovecot = servers.dovecot({ users = { 'home' }, messages = 1 })
    start({
      sync = { interval = 1, push = false },
      async = { startup_delay = 0, background_priority = quiet },
    })
    nvim.lua(function(share)
      _G.pauses = {}
      local last = vim.uv.hrtime()
      vim.on_key(function()
        last = vim.uv.hrtime()
      end)
      local tick, timer = 0, vim.uv.new_timer()
      timer:start(
        0,
        50,
        vim.schedule_wrap(function()
          tick = tick + 1
          if tick % 50 < share then
            vim.api.nvim_input('l')
          end
        end)
      )
      vim.api.nvim_create_autocmd('User', {
        pattern = 'HimalayaSyncStart',
        callback = function()
          table.insert(_G.pauses, (vim.uv.hrtime() - last) / 1e6)
        end,
      })
      require('himalaya.sync.manager').start_auto_sync()
    end, typing)
    nvim.wait_for(('return #_G.pauses >= %d'):format(count), 60000, 'syncs by the timer')
    return nvim.lua('return _G.pauses')
  end

  it('has the timer wait for a quiet moment', function()
    for _, pause in ipairs(pauses(true, 10, 2)) do
      assert.is_true(pause > 950, pause)
    end
  end)

  it('of false has it wait for nothing', function()
    local shortest = math.huge
    for _, pause in ipairs(pauses(false, 50, 4)) do
      shortest = math.min(shortest, pause)
    end
    assert.is_true(shortest < 950, shortest)
  end)
end)
