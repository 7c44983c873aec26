-- setup, and what is there before and after it: fast, without files, as often as one likes.
-- runs alone: it measures
local Child = require('tests.child')

local OPTIONS = {
  accounts = {
    home = { email = 'someone@example.org', imap = { host = 'imap.example.org', auth = { value = 'x' } } },
    office = {
      email = 'someone@example.com',
      imap = { host = 'imap.example.com', auth = { command = { 'pass' } } },
    },
    list = { email = 'list@example.org', maildir = '~/Mail' },
    old = { source = 'himalaya' },
  },
  sync = { interval = 600 },
}

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

describe('setup', function()
  it('may be called again, and reports a mistake once, in one message', function()
    local child = Child.start()
    local seen = child.lua(function()
      local seen = {}
      vim.notify = function(text, level)
        seen[#seen + 1] = { text, level }
      end
      local himalaya = require('himalaya')
      himalaya.setup()
      himalaya.setup({})
      himalaya.setup({ asnyc = {}, sync = { interval = 'x' } })
      return seen
    end)
    assert.equal(1, #seen)
    assert.equal(vim.log.levels.WARN, seen[1][2])
    assert.matches('did you mean `async`?', seen[1][1], 1, true)
    assert.matches('`sync.interval` must be a number', seen[1][1], 1, true)
    child.stop()
  end)

  it('raises for an argument that is no table', function()
    local ok, problem = pcall(require('himalaya').setup, 'fast')
    assert.is_false(ok)
    assert.matches('`opts` must be a table, not a string', problem)
  end)

  it('takes less than a millisecond and opens nothing', function()
    -- The first call counts too: it is the one at start. The best of some Neovims counts, for the machine may be at
    -- something else.
    local first, later = math.huge, math.huge
    for _ = 1, 10 do
      local child = Child.start()
      local took, opened = unpack(child.lua(function(options)
        local himalaya = require('himalaya')
        local opened = {}
        local function watch(where, name)
          local real = where[name]
          where[name] = function(...)
            -- `vim.fs` and its like are part of the binary and only unpacked at first use.
            if not tostring((...)):find('^vim%.') then
              opened[#opened + 1] = name .. ' ' .. tostring((...))
            end
            return real(...)
          end
        end
        for _, name in ipairs({
          'fs_open',
          'fs_stat',
          'fs_mkdir',
          'new_tcp',
          'new_pipe',
          'spawn',
          'getaddrinfo',
        }) do
          watch(vim.uv, name)
        end
        watch(io, 'open')
        watch(_G, 'require')
        -- CPU time, so that what else runs on this machine does not count.
        local function cpu_ms()
          local used = vim.uv.getrusage()
          return (used.utime.sec + used.stime.sec) * 1e3 + (used.utime.usec + used.stime.usec) / 1e3
        end
        local took = {}
        for i = 1, 21 do
          local began = cpu_ms()
          himalaya.setup(options)
          took[i] = cpu_ms() - began
        end
        return { took, opened }
      end, OPTIONS))
      child.stop()
      assert.same({}, opened)
      first, later = math.min(first, took[1]), math.min(later, median(took))
      if first < Child.limit(1) and later < Child.limit(1) then
        break
      end
    end
    assert.is_true(first < Child.limit(1), first)
    assert.is_true(later < Child.limit(1), later)
  end)

  it('loads neither the native module nor anything that is not needed yet', function()
    local child = Child.start({ setup = OPTIONS })
    local loaded = child.lua(function()
      local names = {}
      for name in pairs(package.loaded) do
        if name:find('^himalaya') then
          names[#names + 1] = name
        end
      end
      table.sort(names)
      return names
    end)
    assert.same({
      'himalaya',
      'himalaya.config',
      'himalaya.config.option',
      'himalaya.config.options.accounts',
      'himalaya.config.options.general',
      'himalaya.config.schema',
      'himalaya.config.secret',
      'himalaya.config.validate',
      'himalaya.nearest',
    }, loaded)
    child.stop()
  end)

  it('works after all modules are thrown away and loaded anew', function()
    local child = Child.start({ setup = OPTIONS })
    local interval = child.lua(function()
      require('himalaya').setup({ sync = { interval = 100 } })
      for name in pairs(package.loaded) do
        if name:find('^himalaya') then
          package.loaded[name] = nil
        end
      end
      local himalaya = require('himalaya')
      local before = require('himalaya.config').get().sync.interval
      himalaya.setup({ sync = { interval = 200 } })
      return { before, require('himalaya.config').get().sync.interval, himalaya.statusline() }
    end)
    assert.same({ 900, 200, '' }, interval)
    child.stop()
  end)
end)

describe('the plugin file', function()
  it('takes less than 0.3 ms and loads nothing', function()
    local child = Child.start()
    local took, loaded = unpack(child.lua(function(path)
      local loaded = package.loaded['himalaya'] ~= nil or package.loaded['himalaya.commands'] ~= nil
      local chunk = assert(loadfile(path))
      local took = {}
      for i = 1, 21 do
        vim.g.loaded_himalaya = nil
        local began = vim.uv.hrtime()
        chunk()
        took[i] = (vim.uv.hrtime() - began) / 1e6
      end
      return { took, loaded }
    end, vim.env.HIMALAYA_ROOT .. '/plugin/himalaya.lua'))
    assert.is_false(loaded)
    assert.is_true(median(took) < Child.limit(0.3), took[11])
    child.stop()
  end)

  it('names every command and every map of the tables', function()
    local child = Child.start()
    for _, row in ipairs(require('himalaya.commands').table) do
      assert.equal(2, child.lua('return vim.fn.exists(":" .. ...)', row.name), row.name)
    end
    for _, row in ipairs(require('himalaya.keymaps').plugs) do
      assert.is_true(child.lua('return vim.fn.maparg(..., "n") ~= ""', row.plug), row.plug)
    end
    child.stop()
  end)
end)

describe('status, statusline and metrics', function()
  local himalaya = require('himalaya')
  local state = require('himalaya.core.state')

  before_each(function()
    himalaya.setup(OPTIONS)
  end)

  it('know the accounts before anything ran', function()
    local status = himalaya.status()
    assert.equal('alone', status.role)
    assert.equal('idle', status.sync.state)
    assert.same({ state = 'idle', pending_ops = 0 }, status.accounts.home)
    assert.same({ 'home', 'list', 'office', 'old' }, require('himalaya.config').account_names())
    assert.equal('Mail', himalaya.statusline())
    himalaya.setup({})
    assert.same({}, himalaya.status().accounts)
    assert.equal('', himalaya.statusline())
  end)

  it('follow what is learnt', function()
    state.update('home', { unread = 3 })
    state.update('office', { unread = 4, state = 'syncing' })
    assert.equal('Mail 7 ⟳', himalaya.statusline())
    state.update('office', { state = 'idle', error = { code = 'offline', message = 'No route.' } })
    assert.equal('Mail 7 !', himalaya.statusline())
    assert.equal('offline', himalaya.status().accounts.office.error.code)
    state.update('office', { error = vim.NIL, unread = vim.NIL })
    state.update('home', { unread = 0 })
    assert.equal('Mail 0', himalaya.statusline())
    state.update('home', { unread = vim.NIL })
    assert.equal('Mail', himalaya.statusline())
  end)

  it('give copies, so that a caller can spoil nothing', function()
    himalaya.status().accounts.home.state = 'spoilt'
    himalaya.status().sync.state = 'spoilt'
    assert.equal('idle', himalaya.status().accounts.home.state)
    assert.equal('idle', himalaya.status().sync.state)
  end)

  it('cost the same however often they are asked', function()
    himalaya.statusline()
    local began = vim.uv.hrtime()
    for _ = 1, 10000 do
      himalaya.statusline()
    end
    assert.is_true((vim.uv.hrtime() - began) / 1e4 < Child.limit(1e5))
  end)

  it('count in one plain table', function()
    local metrics = himalaya.metrics()
    for _, name in ipairs({ 'jobs', 'sync', 'cache', 'memory', 'loop' }) do
      assert.equal('table', type(metrics[name]), name)
    end
    assert.equal('number', type(metrics.loop.longest_turn_ms))
    assert.equal('number', type(metrics.loop.turns_over_2ms))
    assert.equal('table', type(metrics.loop.by_room))
    assert.is_true(metrics.memory.lua_kb > 0)
    require('himalaya.native')
    assert.equal('number', type(himalaya.metrics().loop.p99_ms))
  end)
end)
