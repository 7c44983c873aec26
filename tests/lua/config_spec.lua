-- What a user writes into setup: taken, corrected or refused with a sentence that helps, and never shown when secret.
local config = require('himalaya.config')
local schema = require('himalaya.config.schema')
local secret = require('himalaya.config.secret')

local function set(options)
  config.set(options)
  return config.get(), config.problems()
end

-- The one problem there is, or all of them in the failure's text.
local function only_problem(options)
  local _, problems = set(options)
  assert.equal(1, #problems, vim.inspect(problems))
  return problems[1]
end

local function imap(fields)
  return {
    accounts = {
      home = {
        email = 'someone@example.org',
        imap = vim.tbl_extend('force', {
          host = 'imap.example.org',
          auth = { command = { 'pass', 'home' } },
        }, fields or {}),
      },
    },
  }
end

-- A value that `option` accepts and that is not its default.
local function another(option)
  local kind = option.type
  if option.alias or option.path:find('*', 1, true) then
    return nil
  elseif kind == 'boolean' then
    return not option.default
  elseif kind == 'integer' or kind == 'number' then
    return option.default == option.minimum and option.minimum + 1 or option.minimum
  elseif kind == 'path' or kind == 'string' then
    return '/somewhere'
  end
end

describe('the options', function()
  before_each(function()
    config.set({})
  end)

  it('are the documented ones when nothing is given', function()
    local options, problems = set(nil)
    assert.same({}, problems)
    assert.same({
      enabled = true,
      startup_delay = 30,
      sync_timeout = 300,
      max_concurrent_commands = 3,
      ui_refresh_rate = 10,
      cache_ttl = 300,
      background_priority = true,
    }, options.async)
    assert.same({
      prefetch_enabled = true,
      cache_size_mb = 50,
      network_timeout = 30,
      retry_attempts = 3,
      exponential_backoff = true,
    }, options.performance)
    assert.same({
      auto = true,
      interval = 900,
      max_concurrent_syncs = 1,
      max_parallel_accounts = 4,
      push = true,
      coordination = {
        enabled = true,
        heartbeat_interval = 30,
        takeover_threshold = 60,
        sync_cooldown = 300,
        prefer_oldest = false,
        distribute = false,
      },
    }, options.sync)
    assert.same({
      enabled = true,
      auto_takeover = false,
      auto_takeover_timeout = 300,
      show_external_progress = true,
      share_progress = true,
      progress_write_interval = 5,
      graceful_handoff = true,
    }, options.sync_handoff)
    assert.same({ himalaya = 'himalaya', mbsync = 'mbsync', curl = 'curl', w3m = 'w3m' }, options.binaries)
    assert.same({}, options.accounts)
    assert.same({}, options.keymaps)
    assert.is_false(options.notify.debug)
    assert.is_nil(options.default_account)
    assert.is_nil(options.data_dir)
  end)

  it('each take another value, and refuse one of another type by its path', function()
    for _, option in ipairs(schema.options()) do
      local value = another(option)
      if
        value ~= nil
        and not option.path:find('*', 1, true)
        and not option.alias
        and option.path ~= 'default_account'
      then
        local path = vim.split(option.path, '.', { plain = true })
        local function wrap(leaf)
          local given = leaf
          for i = #path, 1, -1 do
            given = { [path[i]] = given }
          end
          return given
        end
        local options, problems = set(wrap(value))
        assert.same({}, problems, option.path)
        assert.equal(value, vim.tbl_get(options, unpack(path)), option.path)

        local problem = only_problem(wrap(function() end))
        assert.equal(option.path, problem.path)
        assert.matches('must be .*, not a function', problem.message)
        assert.equal(option.default, vim.tbl_get(config.get(), unpack(path)), option.path)
      end
    end
  end)

  it('keep to their ranges', function()
    for _, option in ipairs(schema.options()) do
      if option.minimum and not option.path:find('*', 1, true) and not option.alias then
        local room, key = option.path:match('^(.*)%.([%w_]+)$')
        for _, value in ipairs({ option.minimum - 1, math.huge, option.maximum and option.maximum + 1 or -1 }) do
          local given = { [key] = value }
          for part in vim.iter(vim.split(room, '.', { plain = true })):rev() do
            given = { [part] = given }
          end
          assert.equal(option.path, only_problem(given).path)
        end
      end
    end
    assert.matches(
      'must be between 1 and 64, not 0',
      only_problem({ async = { max_concurrent_commands = 0 } }).message
    )
    assert.matches(
      'must be a whole number, not 1.5',
      only_problem({ async = { max_concurrent_commands = 1.5 } }).message
    )
    assert.matches('must be a number', only_problem({ async = { startup_delay = 0 / 0 } }).message)
  end)

  it('name the nearest key for one that is not there', function()
    local cases = {
      { { asnyc = {} }, 'asnyc', 'did you mean `async`?' },
      { { async = { startup_dely = 1 } }, 'async.startup_dely', 'did you mean `async.startup_delay`?' },
      {
        { sync = { coordination = { hartbeat = 1 } } },
        'sync.coordination.hartbeat',
        '`sync.coordination.heartbeat_interval`',
      },
      { { interval = 5 }, 'interval', 'did you mean `sync.interval`?' },
      { { zzzzzzzzzz = 5 }, 'zzzzzzzzzz', 'the nearest is `' },
      { imap({ hots = 'x' }), 'accounts.home.imap.hots', 'did you mean `accounts.home.imap.host`?' },
    }
    for _, case in ipairs(cases) do
      local problem = only_problem(case[1])
      assert.equal(case[2], problem.path)
      assert.is_truthy(problem.message:find(case[3], 1, true), problem.message)
    end
  end)

  it('that are right work beside those that are wrong', function()
    local options, problems =
      set({ async = { startup_delay = 'soon', sync_timeout = 60, nope = 1 }, sync = 7, data_dir = '/d' })
    assert.equal(3, #problems)
    assert.equal(30, options.async.startup_delay)
    assert.equal(60, options.async.sync_timeout)
    assert.equal(900, options.sync.interval)
    assert.equal('/d', options.data_dir)
  end)

  it('survive what no one should write', function()
    local circle = {}
    circle.async = circle
    for _, given in ipairs({
      circle,
      { 'home' },
      { [1.5] = true, [true] = 1 },
      { accounts = 'home' },
      { accounts = { 'home' } },
      { accounts = { home = 'imap' } },
      { accounts = { home = { imap = { auth = 'hunter2' } } } },
      { keymaps = { jobs = true } },
      { [('x'):rep(100000)] = 1 },
      { ['\27[31m'] = 1, ['\n'] = 2 },
    }) do
      local options, problems = set(given)
      assert.is_true(#problems > 0)
      assert.is_true(options.async.enabled)
      for _, problem in ipairs(problems) do
        assert.is_nil(problem.message:find('%c'), problem.message)
        assert.is_true(#problem.message < 400)
        assert.is_nil(problem.message:find('hunter2', 1, true))
      end
    end
  end)

  it('begin with the defaults at every call', function()
    set({ async = { startup_delay = 5 }, accounts = imap().accounts })
    local options = set({ sync = { interval = 60 } })
    assert.equal(30, options.async.startup_delay)
    assert.same({}, options.accounts)
    assert.equal(60, options.sync.interval)
  end)

  it('do not share tables with what was given or with the defaults', function()
    local given = imap()
    local options = set(given)
    assert.is_nil(given.accounts.home.imap.port)
    options.accounts.home.imap.auth.command[1] = 'changed'
    assert.equal('pass', given.accounts.home.imap.auth.command[1])
    options.accounts.home = nil
    assert.is_nil(next(set(nil).accounts))
  end)

  it('tell those who watch', function()
    local seen
    config.watch('spec', function(options)
      seen = options.async.max_concurrent_commands
    end)
    set({ async = { max_concurrent_commands = 7 } })
    config.watch('spec', nil)
    set({})
    assert.equal(7, seen)
  end)

  it('have three earlier names', function()
    local options, problems = set({
      ui = { auto_sync_enabled = false, auto_sync_interval = 120, auto_sync_startup_delay = 3 },
    })
    assert.same({}, problems)
    assert.is_false(options.sync.auto)
    assert.equal(120, options.sync.interval)
    assert.equal(3, options.async.startup_delay)
    assert.equal(60, set({ ui = { auto_sync_interval = 120 }, sync = { interval = 60 } }).sync.interval)
    local problem = only_problem({ ui = { auto_sync_interval = -1 } })
    assert.equal('ui.auto_sync_interval', problem.path)
    assert.equal(900, config.get().sync.interval)
    assert.equal('ui.auto_sync_enabled', only_problem({ ui = { auto_sync_enabled = 'yes' } }).path)
  end)
end)

describe('an account', function()
  it('is completed by what follows from the rest', function()
    local options, problems = set(imap())
    assert.same({}, problems)
    local account = config.account('home')
    assert.equal('imap', account.source)
    assert.equal('all', account.bodies)
    assert.equal(993, account.imap.port)
    assert.equal('implicit', account.imap.tls)
    assert.equal('someone@example.org', account.imap.user)
    assert.equal(3, account.imap.pool_size)
    assert.equal(300, account.imap.idle_timeout)
    assert.equal('password', account.imap.auth.type)
    assert.equal('home', options.default_account)
    assert.equal(143, set(imap({ tls = 'starttls' })).accounts.home.imap.port)
    assert.equal(1143, set(imap({ tls = 'none', port = 1143 })).accounts.home.imap.port)
    assert.is_nil(config.account('office'))
  end)

  it('may live in a Maildir or with the himalaya program', function()
    local options, problems = set({
      accounts = {
        home = { maildir = '~/Mail', mbsync = { channel = 'home' } },
        office = { source = 'himalaya', bodies = 30 },
      },
    })
    assert.same({}, problems)
    assert.equal('maildir', options.accounts.home.source)
    assert.equal(vim.fs.normalize('~/Mail'), options.accounts.home.maildir)
    assert.equal('home', options.accounts.home.mbsync.inbox_channel)
    assert.equal('office', options.accounts.office.himalaya.account)
    assert.equal(30, options.accounts.office.bodies)
    assert.equal('home', options.default_account)
  end)

  it('says of what is wrong only that, and not that it is missing too', function()
    for path, options in pairs({
      ['accounts.home.imap.host'] = imap({ host = 1 }),
      ['accounts.home.imap.auth'] = imap({ auth = 1 }),
      ['accounts.home.imap.auth.command'] = imap({ auth = { command = 'pass mail' } }),
      ['accounts.home.imap.auth.provider'] = imap({ auth = { type = 'oauth2', provider = 'gogle' } }),
      ['accounts.home.imap'] = { accounts = { home = { imap = 'imap.example.org' } } },
      ['accounts.home.maildir'] = { accounts = { home = { source = 'maildir', maildir = 1 } } },
    }) do
      assert.equal(path, only_problem(options).path)
    end
    local nobody = imap({ user = 1 })
    nobody.accounts.home.email = nil
    assert.equal('accounts.home.imap.user', only_problem(nobody).path)
  end)

  it('says what is missing', function()
    assert.equal('accounts.home.imap', only_problem({ accounts = { home = {} } }).path)
    assert.equal('accounts.home.maildir', only_problem({ accounts = { home = { source = 'maildir' } } }).path)
    local without_host = imap()
    without_host.accounts.home.imap.host = nil
    assert.equal('accounts.home.imap.host', only_problem(without_host).path)
    assert.equal('accounts.home.imap.auth', only_problem(imap({ auth = {} })).path)
    assert.equal('accounts.home.imap.auth', only_problem(imap({ auth = { type = 'oauth2' } })).path)
    assert.equal(
      'accounts.home.imap.auth.provider.token',
      only_problem(imap({ auth = { type = 'oauth2', client_id = 'x', provider = { scope = 'mail' } } })).path
    )
    assert.equal(
      'accounts.home.imap.auth.client_id',
      only_problem(imap({ auth = { type = 'oauth2', provider = 'google' } })).path
    )
  end)

  it('has a name that can be a file name', function()
    for _, name in ipairs({ '', '.', '..', '.hidden', 'a/b', 'a b', 'a\nb', 'ä', 'a\0b', '../../etc' }) do
      local options, problems = set({ accounts = { [name] = imap().accounts.home } })
      assert.equal(1, #problems, name)
      assert.matches('is no name for an account', problems[1].message)
      assert.is_nil(options.accounts[name])
    end
    for _, name in ipairs({ 'home', 'a.b', 'me@example.org', '_x-1', '-' }) do
      assert.same({}, select(2, set({ accounts = { [name] = imap().accounts.home } })))
    end
  end)

  it('refuses words and values that make no sense, with the nearest', function()
    local function message(account)
      return only_problem({ accounts = { home = vim.tbl_extend('force', imap().accounts.home, account) } }).message
    end
    assert.matches("not 'impa'; the nearest is 'imap'", message({ source = 'impa' }))
    assert.matches("the nearest is 'on_demand'", message({ bodies = 'ondemand' }))
    assert.matches('between 1 and 36500', message({ bodies = 0 }))
    assert.matches('between 1 and 65535', only_problem(imap({ port = 70000 })).message)
    assert.matches('one line', only_problem(imap({ user = 'a\r\nb' })).message)
    assert.matches('a list of strings', message({ folders = { include = 'INBOX' } }))
    assert.matches('not begin with a dash', message({ mbsync = { channel = '-a' } }))
    local problem = only_problem({ default_account = 'hom', accounts = imap().accounts })
    assert.matches('the nearest is `home`', problem.message)
    assert.equal('home', config.get().default_account)
  end)
end)

describe('a password', function()
  local WORD = 'correct horse battery staple'

  it('is behind something that nothing prints', function()
    local options, problems = set(imap({ auth = { value = WORD } }))
    assert.same({}, problems)
    local value = options.accounts.home.imap.auth.value
    assert.equal(WORD, secret.reveal(value))
    assert.equal(WORD, secret.reveal(vim.deepcopy(options).accounts.home.imap.auth.value))
    for _, text in ipairs({
      vim.inspect(options),
      vim.inspect(config.account('home')),
      vim.inspect(require('himalaya').status()),
      tostring(value),
      vim.inspect(package.loaded['himalaya.config']),
    }) do
      assert.is_nil(text:find(WORD, 1, true))
    end
    assert.is_false(pcall(vim.json.encode, options))
  end)

  it('is in no message about a mistake', function()
    for _, auth in ipairs({
      WORD,
      { WORD },
      { vaule = WORD },
      { value = { WORD } },
      { type = WORD },
      { type = 'password', command = WORD },
      { env = WORD },
      { value = WORD, env = 'HOME_PASSWORD' },
      { type = 'oauth2', provider = WORD },
      { type = 'oauth2', provider = { token = WORD } },
    }) do
      local _, problems = set(imap({ auth = auth }))
      assert.is_true(#problems > 0, vim.inspect(auth))
      for _, problem in ipairs(problems) do
        assert.is_nil(problem.message:find('horse', 1, true), problem.message)
      end
    end
  end)

  it('comes from one place only', function()
    local options, problems = set(imap({ auth = { value = WORD, env = 'HOME_PASSWORD' } }))
    assert.equal(1, #problems)
    assert.same(
      { type = 'password', env = 'HOME_PASSWORD', tenant = 'common' },
      options.accounts.home.imap.auth
    )
    assert.same({ 'HOME_PASSWORD' }, config.secret_env())
  end)
end)

describe('the nearest word', function()
  local nearest = require('himalaya.nearest')

  it('is the fewest keystrokes away', function()
    assert.equal(0, nearest.distance('sync', 'sync'))
    assert.equal(1, nearest.distance('snyc', 'sync'))
    assert.equal(3, nearest.distance('', 'abc'))
    assert.equal(3, nearest.distance('kitten', 'sitting'))
    assert.is_nil((nearest.of('x', {})))
    local word, close = nearest.of('KEYMAP', { 'keymaps', 'notify' })
    assert.equal('keymaps', word)
    assert.is_true(close)
  end)
end)
