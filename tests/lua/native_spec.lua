-- The loader and the module's life: loaded once, refused where it cannot work, gone without a trace at exit.
local Child = require('tests.child')

local root = vim.env.HIMALAYA_ROOT
local build_dir = vim.env.HIMALAYA_BUILD_DIR or (root .. '/build')
local sanitized = vim.env.HIMALAYA_SANITIZER ~= nil

--- A folder that looks like a build, with `make(path of the module)` deciding what lies there.
local function build_with(make)
  local dir = vim.fn.tempname()
  vim.fn.mkdir(dir, 'p')
  if make then
    make(dir .. '/himalaya_native.so')
  end
  return dir
end

local function load_from(dir, before)
  local child = Child.start({ env = { HIMALAYA_BUILD_DIR = dir } })
  if before then
    child.lua(before)
  end
  local ok, message = unpack(child.lua([[
    local ok, message = pcall(require, 'himalaya.native')
    return { ok, tostring(message) }
  ]]))
  child.stop()
  return ok, message
end

describe('the loader', function()
  it('loads the module of this checkout, by its full path', function()
    local native = require('himalaya.native')
    assert.equal(require('himalaya.stamp'), native.stamp)
    assert.equal(build_dir .. '/himalaya_native.so', native.path)
  end)

  it('says what to run when the module is missing', function()
    local ok, message = load_from(build_with(nil))
    assert.is_false(ok)
    assert.matches('the module is not built', message, 1, true)
    assert.matches('himalaya_native.so', message, 1, true)
    assert.matches('&& ./scripts/build', message, 1, true)
    assert.matches(root, message, 1, true)
    assert.is_nil(message:find('stack traceback', 1, true))
  end)

  it('says the same at every further try, and loads once it is mended', function()
    local dir = build_with(nil)
    local child = Child.start({ env = { HIMALAYA_BUILD_DIR = dir } })
    local try = [[
      local ok, result = pcall(require, 'himalaya.native')
      return { ok, ok and result.path or tostring(result) }
    ]]
    for _ = 1, 2 do
      local ok, message = unpack(child.lua(try))
      assert.is_false(ok)
      assert.matches('the module is not built', message, 1, true)
    end
    assert(vim.uv.fs_symlink(build_dir .. '/himalaya_native.so', dir .. '/himalaya_native.so'))
    assert.same({ true, dir .. '/himalaya_native.so' }, child.lua(try))
    child.stop()
  end)

  it('says what to run when the file is not for this machine', function()
    local ok, message = load_from(build_with(function(path)
      local file = assert(io.open(path, 'wb'))
      file:write('\127ELF' .. ('x'):rep(200))
      file:close()
    end))
    assert.is_false(ok)
    assert.matches('does not load on this machine', message, 1, true)
    assert.matches('&& ./scripts/build', message, 1, true)
  end)

  it('says what to run when the module is of other sources', function()
    -- A checkout whose Lua files were pulled and whose module was not built again.
    local checkout = vim.fn.tempname()
    vim.fn.mkdir(checkout .. '/lua/himalaya', 'p')
    assert(vim.uv.fs_copyfile(root .. '/lua/himalaya/native.lua', checkout .. '/lua/himalaya/native.lua'))
    vim.fn.writefile({ "return '0123456789abcdef'" }, checkout .. '/lua/himalaya/stamp.lua')
    local ok, message =
      load_from(build_dir, ('vim.opt.runtimepath:prepend(%q)'):format(vim.uv.fs_realpath(checkout)))
    vim.fn.delete(checkout, 'rf')
    assert.is_false(ok)
    assert.matches('is of other sources', message, 1, true)
    assert.matches('0123456789abcdef', message, 1, true)
    assert.matches('&& ./scripts/build', message, 1, true)
  end)

  it('says what to run when a stamp is missing, whichever of the two', function()
    local checkout = vim.fn.tempname()
    vim.fn.mkdir(checkout .. '/lua/himalaya', 'p')
    assert(vim.uv.fs_copyfile(root .. '/lua/himalaya/native.lua', checkout .. '/lua/himalaya/native.lua'))
    local before = ('vim.opt.runtimepath:prepend(%q)'):format(vim.uv.fs_realpath(checkout))
    for _, lines in ipairs({ {}, { 'return (' }, { 'return nil' } }) do
      if #lines > 0 then
        vim.fn.writefile(lines, checkout .. '/lua/himalaya/stamp.lua')
      end
      local ok, message = load_from(build_dir, before)
      assert.is_false(ok)
      assert.matches('/lua/himalaya/stamp.lua is missing or damaged', message, 1, true)
      assert.matches('&& ./scripts/build', message, 1, true)
    end
    vim.fn.delete(checkout, 'rf')

    -- Any other library: what a failed or foreign build may leave under that name.
    local ok, message = load_from(build_with(function(path)
      assert(vim.uv.fs_copyfile(build_dir .. '/himalaya_mime.so', path))
    end))
    assert.is_false(ok)
    assert.matches('it has no stamp', message, 1, true)
    assert.matches('&& ./scripts/build', message, 1, true)
  end)

  it('gives the same module again after package.loaded was cleared', function()
    local child = Child.start()
    local same = child.lua([[
      local first = require('himalaya.native')
      package.loaded['himalaya.native'] = nil
      local second = require('himalaya.native')
      local count = #vim.api.nvim_get_autocmds({ group = 'himalaya.native' })
      return { rawequal(first.loop, second.loop), count }
    ]])
    assert.same({ true, 1 }, same)
    assert.equal(0, (child.stop()))
  end)

  it('works when the first require comes from a coroutine that is gone later', function()
    local child = Child.start()
    child.lua([[
      local thread = coroutine.create(function() require('himalaya.native') end)
      assert(coroutine.resume(thread))
      thread = nil
      collectgarbage() collectgarbage()
    ]])
    local value = child.await(function(done)
      require('himalaya.native').loop.complete(done, 'told')
    end)
    assert.equal('told', value)
    child.stop()
  end)

  it('refuses a thread that vim.uv has made', function()
    local child = Child.start()
    local message = child.lua(
      [[
      require('himalaya.native')
      local said
      local async = vim.uv.new_async(function(text) said = text end)
      local thread = vim.uv.new_thread(function(handle, path, cpath)
        package.path = path
        local ok, text = pcall(require, 'himalaya.native')
        if ok then
          text = 'it was loaded'
        end
        -- The door itself, without the loader before it.
        local open = package.loadlib(cpath, 'luaopen_himalaya_native')
        local opened, why = pcall(open, { schedule = print, report = print })
        handle:send(tostring(text) .. '\n' .. tostring(opened) .. ' ' .. tostring(why))
      end, async, ... .. '/lua/?.lua', require('himalaya.native').path)
      vim.wait(60000, function() return said ~= nil end, 5)
      thread:join()
      async:close()
      return said
    ]],
      root
    )
    local loader, door = unpack(vim.split(message, '\n'))
    assert.matches('cannot be loaded in a thread', loader, 1, true)
    assert.matches('false himalaya.native cannot be loaded in a thread', door, 1, true)
    assert.equal(0, (child.stop()))
  end)

  it('is not opened by anything but the loader', function()
    local child = Child.start()
    local ok, message = unpack(child.lua(
      [[
      local open = package.loadlib(..., 'luaopen_himalaya_native')
      local ok, message = pcall(open, 'himalaya_native')
      return { ok, tostring(message) }
    ]],
      build_dir .. '/himalaya_native.so'
    ))
    assert.is_false(ok)
    assert.matches('expected a table', message, 1, true)
    child.stop()
  end)
end)

describe('the module', function()
  it('names the argument that is wrong, where it was called', function()
    local native = require('himalaya.native')
    for _, case in ipairs({
      { 'callback: expected a function, got nil', native.loop.complete },
      { 'callback: expected a function, got number', native.loop.complete, 7 },
      { 'level: expected trace, debug', native.log.add, 'loud', 'x', 'y' },
      { 'room: expected a string, got nil', native.log.add, 'info' },
      { 'most: expected a whole number', native.log.recent, 1.5 },
      { 'listener: expected what listen() gave', native.loop.offer, io.stdout },
    }) do
      local ok, message = pcall(function()
        case[2](unpack(case, 3))
      end)
      assert.is_false(ok)
      assert.matches('native_spec.lua:%d+: ', message)
      assert.matches(case[1], message, 1, true)
    end
  end)

  it('counts its turns', function()
    local native = require('himalaya.native')
    local done = false
    native.loop.complete(function()
      done = true
    end)
    Child.wait_for(function()
      return done
    end)
    local loop = native.metrics().loop
    assert.is_true(loop.turns > 0)
    assert.is_true(loop.longest_turn_ms > 0)
    assert.is_number(loop.turns_over_2ms)
    assert.is_true(loop.by_room.lua.slices > 0)
    native.loop.reset_metrics()
    assert.equal(0, native.loop.metrics().turns_over_2ms)
  end)

  it('keeps a log that is clean of control characters', function()
    local native = require('himalaya.native')
    native.log.add('warn', 'test', 'with\27[31m control\0 characters')
    local line = native.log.recent(1)[1]
    assert.equal('with control characters', line.text)
    assert.equal('warn', line.level)
    assert.equal('test', line.room)
  end)
end)

describe('leaving Neovim', function()
  local function leave(how, prepare)
    local child = Child.start()
    child.lua([[
      local native = require('himalaya.native')
      native.log.open_file(vim.fn.stdpath('state') .. '/himalaya.log')
      native.loop.complete(function() end)
    ]])
    if prepare then
      child.lua(prepare)
    end
    how(child)
    local code = Child.wait_for(function()
      return child.exit_code
    end, 5000, 'the exit')
    return code, table.concat(child.stderr, '\n')
  end

  for name, how in pairs({
    [':qa!'] = function(child)
      vim.rpcnotify(child.channel, 'nvim_command', 'qa!')
    end,
    [':cq'] = function(child)
      vim.rpcnotify(child.channel, 'nvim_command', '3cq')
    end,
    SIGTERM = function(child)
      vim.uv.kill(child.pid, 'sigterm')
    end,
    ['a callback that quits'] = function(child)
      vim.rpcnotify(
        child.channel,
        'nvim_exec_lua',
        [[
          local native = require('himalaya.native')
          native.loop.complete(function() vim.cmd('qa!') end)
          for _ = 1, 100 do native.loop.complete(function() end) end
        ]],
        {}
      )
    end,
  }) do
    it('by ' .. name .. ' is clean', function()
      local code, said = leave(how)
      assert.equal(({ [':cq'] = 3, SIGTERM = 1 })[name] or 0, code)
      assert.is_nil(said:find('ERROR', 1, true) or said:find('rror:', 1, true), said)
    end)
  end

  it('leaves functions that say so, and events that never come', function()
    local child = Child.start()
    local ok, message = unpack(child.lua([[
      local native = require('himalaya.native')
      native.loop.complete(function() error('after the end') end)
      native.stop()
      native.stop = native.stop
      local ok, message = pcall(native.loop.complete, function() end)
      return { ok, tostring(message) }
    ]]))
    assert.is_false(ok)
    assert.matches('himalaya has stopped', message, 1, true)
    assert.equal('', child.lua('return vim.v.errmsg'))
    assert.equal(0, (child.stop()))
  end)
end)

-- The sanitizers' builds are slow by design.
if not sanitized then
  if vim.uv.os_uname().sysname == 'Linux' and vim.uv.os_uname().machine == 'x86_64' then
    --- Which of these libraries the child has mapped, by name.
    local function mapped(child)
      return child.lua([[
        local file = io.open('/proc/self/maps')
        local maps, found = file:read('*a'), {}
        file:close()
        for _, name in ipairs({ 'libcrypto', 'libsqlite3', 'libsimdjson', 'libfmt', 'libstdc++' }) do
          found[#found + 1] = maps:find(name, 1, true) and name or nil
        end
        return table.concat(found, ' ')
      ]])
    end

    it('libraries are loaded when they are first called', function()
      local child = Child.start()
      child.lua([[require('himalaya.native')]])
      assert.equal('', mapped(child))
      assert.matches('^3%.', child.lua([[return require('himalaya.native').versions().OpenSSL]]))
      assert.matches('libcrypto libsqlite3', mapped(child), 1, true)
      child.stop()
    end)

    it('the C++ library inside does not meet another in the process, whichever came first', function()
      local function errors_come(child)
        local ok, message = unpack(child.lua([[
          local jobs = require('himalaya.core.async_commands')
          local ok, message = pcall(jobs.queue_command, { 1 }, {}, print)
          return { ok, message }
        ]]))
        assert.is_false(ok)
        assert.matches('argv[1]: expected a string, got number', message, 1, true)
        local err = child.await(function(done)
          require('himalaya.core.async_commands').queue_command({ 'himalaya-no-such-program' }, {}, done)
        end)
        assert.same({ 'not_found', { errno = 'ENOENT' } }, { err.code, err.detail }) -- read by simdjson
      end
      for _, first in ipairs({ 'theirs', 'ours' }) do
        local child = Child.start()
        if first == 'ours' then
          errors_come(child)
        end
        child.lua([[
          local ffi = require('ffi')
          ffi.cdef('int _ZSt13get_terminatev(void);')
          _G.theirs = ffi.load('libstdc++.so.6', true) -- its symbols are for everybody
          assert(_G.theirs._ZSt13get_terminatev)
        ]])
        errors_come(child)
        assert.matches('libsimdjson libstdc++', mapped(child), 1, true)
        assert.equal(0, (child.stop()))
      end
    end)

    it('a library that went away since the build is an error where it is called', function()
      local dir = build_with(function(path)
        local file = assert(io.open(build_dir .. '/himalaya_native.so', 'rb'))
        local bytes = file:read('*a')
        file:close()
        local count
        bytes, count = bytes:gsub('libzstd%.so%.1%z', 'libzstd.so.0\0')
        assert.is_true(count > 0)
        file = assert(io.open(path, 'wb'))
        file:write(bytes)
        file:close()
      end)
      local child = Child.start({ env = { HIMALAYA_BUILD_DIR = dir } })
      local ok, message = unpack(child.lua([[
        local ok, message = pcall(require('himalaya.native').versions)
        return { ok, tostring(message) }
      ]]))
      assert.is_false(ok)
      assert.matches('The library libzstd.so.0 cannot be loaded', message, 1, true)
      assert.equal(0, (child.stop()))
      vim.fn.delete(dir, 'rf')
    end)
  end

  describe('the time to load', function()
    -- CPU time: what it takes must not depend on who else runs.
    it('is a few milliseconds', function()
      local best = math.huge
      for _ = 1, 5 do
        local child = Child.start()
        local took = child.lua([[
          local function used()
            local usage = vim.uv.getrusage()
            return (usage.utime.sec + usage.stime.sec) * 1e3 + (usage.utime.usec + usage.stime.usec) / 1e3
          end
          local start = used()
          require('himalaya.native')
          return used() - start
        ]])
        best = math.min(best, took)
        child.stop()
      end
      assert.is_true(best < Child.limit(4), ('took %.1f ms'):format(best))
    end)
  end)
end
