-- A Neovim of its own for a test: real exit, real signals, a clean home, and no way to hang the test that drives it.
--
--   local child = require('tests.child').start({ setup = { async = { enabled = false } } })
--   child.lua('return vim.fn.getpid()')             -- code or a function without upvalues, then its arguments
--   child.await(function(done, x) f(x, done) end, 1)   -- waits until done(...) is called, returns what it got
--   child.wait_for('return #vim.fn.getbufinfo() == 2')  -- until true; a Lua function is asked here, in the test
--   child.type('ihello<Esc>'); child.screen()        -- keys as a user types them; the screen as lines of text
--   child.stop() / child.kill()                      -- :qa! and wait / SIGKILL
--
-- Time limits are multiplied by HIMALAYA_SLOWNESS (sanitizers, full machines): they bound a failure, never a success.
local M = {}

local root = vim.env.HIMALAYA_ROOT or vim.uv.cwd()
local slowness = tonumber(vim.env.HIMALAYA_SLOWNESS or '') or 1
local running = {}

--- A limit in milliseconds as this machine needs it.
function M.limit(milliseconds)
  return milliseconds * slowness
end

--- Waits here, with the loop running, until `condition` gives a true value, and returns that.
function M.wait_for(condition, timeout, what)
  local deadline = vim.uv.hrtime() + M.limit(timeout or 5000) * 1e6
  while true do
    local value = condition()
    if value then
      return value
    end
    if vim.uv.hrtime() > deadline then
      error(('not within %d ms: %s'):format(M.limit(timeout or 5000), what or 'the condition'), 2)
    end
    vim.wait(3)
  end
end

local function write(path, lines)
  vim.fn.writefile(lines, path)
end

--- What the child's init.lua says before `opts.init`.
local function init_lines(opts)
  local lines = {
    ('vim.opt.runtimepath:prepend(%q)'):format(opts.root or root),
    'vim.opt.swapfile = false',
    'vim.opt.shadafile = "NONE"',
    'vim.g.mapleader = " "',
  }
  if opts.setup then
    lines[#lines + 1] = ('require("himalaya").setup(%s)'):format(vim.inspect(opts.setup))
  end
  if vim.env.HIMALAYA_TURNS then
    lines[#lines + 1] = require('tests.turns').WRITE
  end
  vim.list_extend(lines, vim.split(opts.init or '', '\n'))
  return vim.split(table.concat(lines, '\n'), '\n')
end

--- The child's environment: no file of the user's is read or written.
local function clean_environment(dir, extra)
  local env = {
    HIMALAYA_SPEC = vim.env.HIMALAYA_SPEC or vim.fn.fnamemodify(arg and arg[1] or '', ':t:r'),
    HOME = dir .. '/home',
    XDG_CONFIG_HOME = dir .. '/config',
    XDG_DATA_HOME = dir .. '/data',
    XDG_STATE_HOME = dir .. '/state',
    XDG_CACHE_HOME = dir .. '/cache',
    XDG_RUNTIME_DIR = dir .. '/run',
    NVIM_APPNAME = 'nvim',
    NVIM_LOG_FILE = dir .. '/nvim.log',
  }
  for _, path in pairs({ 'home', 'config', 'data', 'state', 'cache', 'run' }) do
    vim.fn.mkdir(dir .. '/' .. path, 'p', '0700')
  end
  return vim.tbl_extend('force', env, extra or {})
end

--- @class tests.ChildOptions
--- @field nvim? string      the Neovim to start; the one that runs the test when not given
--- @field setup? table      what himalaya.setup gets before the plugin folder is read; not called when nil
--- @field init? string      more Lua for init.lua
--- @field env? table        more environment
--- @field args? string[]    more arguments
--- @field dir? string       a folder to live in (kept at the end); two children that share one see the same files
--- @field root? string      the checkout to load, when it is not this one

--- @param opts? tests.ChildOptions
function M.start(opts)
  opts = opts or {}
  local dir = opts.dir or vim.fn.tempname()
  vim.fn.mkdir(dir, 'p', '0700')
  dir = vim.uv.fs_realpath(dir)
  local child = { dir = dir, stderr = {}, exit_code = nil }

  local init = ('%s/init-%d.lua'):format(dir, vim.uv.hrtime())
  write(init, init_lines(opts))
  local argv =
    { opts.nvim or vim.env.HIMALAYA_NVIM or vim.v.progpath, '--embed', '--headless', '-n', '-i', 'NONE' }
  vim.list_extend(argv, { '-u', init })
  vim.list_extend(argv, opts.args or {})
  child.channel = vim.fn.jobstart(argv, {
    rpc = true,
    cwd = opts.cwd or dir,
    env = clean_environment(dir, opts.env),
    on_stderr = function(_, data)
      child.stderr[#child.stderr] = (child.stderr[#child.stderr] or '') .. data[1]
      vim.list_extend(child.stderr, data, 2)
    end,
    on_exit = function(_, code)
      child.exit_code = code
    end,
  })
  assert(child.channel > 0, 'this Neovim does not start: ' .. argv[1])
  child.pid = vim.fn.jobpid(child.channel)
  running[child] = true

  local function said()
    local text = table.concat(child.stderr, '\n')
    return text == '' and '' or '\nits stderr:\n' .. text
  end

  --- One request. A child that does not answer in a minute is aborted, so the test fails instead of hanging.
  local function request(method, ...)
    if child.exit_code then
      error(('the child Neovim is gone (exit %d)%s'):format(child.exit_code, said()), 3)
    end
    local watchdog = assert(vim.uv.new_timer())
    local barked = false
    watchdog:start(M.limit(opts.patience or 60000), 0, function()
      barked = true
      vim.uv.kill(child.pid, 'sigabrt')
    end)
    local ok, result = pcall(vim.rpcrequest, child.channel, method, ...)
    watchdog:close()
    if not ok then
      vim.wait(20)
      local why = barked and ' (it did not answer and was aborted)' or ''
      error(tostring(result) .. why .. said(), 3)
    end
    return result
  end
  child.request = request

  --- Runs Lua in the child. A function must not use upvalues: it travels as bytecode.
  function child.lua(code, ...)
    if type(code) == 'function' then
      code = string.dump(code)
    end
    return request('nvim_exec_lua', code, { ... })
  end

  function child.cmd(command)
    return request('nvim_command', command)
  end

  function child.messages()
    return request('nvim_exec2', 'messages', { output = true }).output
  end

  --- Waits until it was said, and forgets what was said so far. The screen has room for the last message only, and the
  --- next one may follow at once.
  function child.wait_for_message(text, timeout)
    child.wait_for(function()
      return child.messages():find(text, 1, true) ~= nil
    end, timeout or 15000, ('the message `%s`'):format(text))
    child.cmd('messages clear')
  end

  --- True once Lua code in the child (or a function here) gives a true value; that value is returned.
  function child.wait_for(condition, timeout, what)
    local ask = condition
    if type(condition) == 'string' then
      what = what or condition
      ask = function()
        local value = child.lua(condition)
        return value ~= vim.NIL and value or nil
      end
    end
    local ok, value = pcall(M.wait_for, ask, timeout, what)
    if not ok then
      local alive = child.exit_code == nil
      local messages = alive and child.messages() or ''
      local screen = alive and child.screen() or {}
      local shown = table.concat(screen, '\n'):gsub('%s+$', '')
      error(('%s\nits messages: %s%s\nits screen:\n%s'):format(value, messages, said(), shown), 2)
    end
    return value
  end

  --- Calls `code(done, ...)` in the child and waits for done(...); returns done's arguments, nil for what is not data.
  function child.await(code, ...)
    if type(code) == 'function' then
      code = string.dump(code)
    end
    local call = child.lua(function(chunk, ...)
      local calls = _G.himalaya_test_calls or {}
      _G.himalaya_test_calls = calls
      local number = #calls + 1
      calls[number] = { times = 0 }
      local function plain(value, depth)
        if type(value) == 'table' and depth < 12 then
          local copy = {}
          for key, item in pairs(value) do
            copy[key] = plain(item, depth + 1)
          end
          return next(copy) == nil and vim.empty_dict() or copy
        end
        local kind = type(value)
        return (kind == 'function' or kind == 'userdata' or kind == 'thread') and vim.NIL or value
      end
      local function done(...)
        local call = calls[number]
        call.times = call.times + 1
        call.fast = vim.in_fast_event()
        local count = select('#', ...)
        local results = {}
        for i = 1, count do
          local value = select(i, ...)
          results[i] = value == nil and vim.NIL or plain(value, 0)
        end
        call.results = results
      end
      assert(loadstring(chunk))(done, ...)
      return number
    end, code, ...)
    local result = child.wait_for(function()
      local state = child.lua(function(number)
        local state = _G.himalaya_test_calls[number]
        return state.results and { times = state.times, results = state.results } or nil
      end, call)
      return state ~= vim.NIL and state or nil
    end, opts.await or 30000, 'the callback')
    assert(result.times == 1, ('the callback was called %d times'):format(result.times))
    local values = {}
    for i, value in ipairs(result.results) do
      values[i] = value ~= vim.NIL and value or nil
    end
    return unpack(values, 1, #result.results)
  end

  --- Keys as typed; `<lt>` is a less-than sign. They are in the child's input queue when this returns.
  function child.type(keys)
    request('nvim_input', keys)
  end

  --- The screen, a line of text per row without the spaces at its end.
  function child.screen()
    return child.lua(function()
      vim.cmd('redraw!')
      local rows = {}
      for row = 1, vim.o.lines do
        local cells = {}
        for column = 1, vim.o.columns do
          cells[column] = vim.fn.screenstring(row, column)
        end
        rows[row] = (table.concat(cells):gsub('%s+$', ''))
      end
      return rows
    end)
  end

  function child.resize(columns, lines)
    child.lua('vim.o.columns, vim.o.lines = ...', columns, lines)
  end

  --- Waits until the process is gone and gives its exit code.
  function child.wait_exit(timeout)
    M.wait_for(function()
      return child.exit_code ~= nil
    end, timeout or 10000, 'the child Neovim to exit' .. said())
    return child.exit_code
  end

  local function forget()
    running[child] = nil
    if not opts.dir then
      vim.fn.delete(dir, 'rf')
    end
  end

  --- Leaves as a user does. Returns the exit code and the milliseconds it took.
  function child.stop(command)
    if child.exit_code == nil then
      local started = vim.uv.hrtime()
      pcall(vim.rpcnotify, child.channel, 'nvim_command', command or 'qa!')
      local ok, problem = pcall(child.wait_exit)
      if not ok then
        vim.uv.kill(child.pid, 'sigkill')
        forget()
        error(problem, 2)
      end
      child.exit_ms = (vim.uv.hrtime() - started) / 1e6
    end
    forget()
    return child.exit_code, child.exit_ms
  end

  function child.kill(signal)
    if child.exit_code == nil then
      vim.uv.kill(child.pid, signal or 'sigkill')
      child.wait_exit()
    end
    forget()
  end

  child.lua('return true')
  return child
end

function M.stop_all()
  for child in pairs(running) do
    if vim.env.HIMALAYA_TURNS and child.exit_code == nil then
      pcall(child.lua, 'himalaya_write_turns()')
    end
    child.kill()
  end
end

return M
