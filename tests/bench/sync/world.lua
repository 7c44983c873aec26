-- What the rows of the sync bench share: Neovims whose disk calls are counted and whose clock can be moved, syncs timed
-- inside them, and what stands on the wire.
local ffi = require('ffi')
local M = {}

local servers = require('tests.servers')

--- The number of messages of the large mailbox; --messages makes it smaller while one develops.
M.messages = tonumber(vim.env.HIMALAYA_BENCH_MESSAGES or '') or 50000
M.servers = servers

-- Said in every child before anything is measured.
local PRELUDE = [[
  manager = require('himalaya.sync.manager')
  mail = require('himalaya.mail')
  native = require('himalaya.native')
  now = vim.uv.hrtime
  -- The result goes through a file: a question over RPC every few milliseconds would be measured with it.
  function finish(path, result)
    local out = assert(io.open(path .. '.new', 'w'))
    out:write(vim.json.encode(result))
    out:close()
    os.rename(path .. '.new', path)
  end
]]

--- A Neovim with these accounts. opts: witness (its disk calls are counted), dir (kept), env.
function M.neovim(tools, accounts, opts)
  opts = opts or {}
  local env = vim.deepcopy(opts.env or {})
  local witness
  if opts.witness then
    witness = M.witness(tools)
    env = vim.tbl_extend('force', env, witness.env)
  end
  local child = tools.child({
    dir = opts.dir,
    env = env,
    await = 600000,
    setup = { accounts = accounts, async = { enabled = false, startup_delay = 100000 } },
  })
  child.witness = witness
  child.lua(PRELUDE)
  --- Runs code that calls finish(path, result) at its end; waits without disturbing; the result.
  function child.measure(code, ...)
    local path = vim.fn.tempname()
    child.lua('local path = ... ' .. code, path, ...)
    require('tests.child').wait_for(function()
      if child.exit_code then
        error('the measured Neovim is gone')
      end
      vim.wait(15)
      return vim.uv.fs_stat(path) ~= nil
    end, opts.patience or 300000, 'the measurement')
    local file = assert(io.open(path))
    local result = vim.json.decode(file:read('*a'), { luanil = { object = true } })
    file:close()
    os.remove(path)
    return result
  end
  --- One sync; { seconds, accounts }. Raises when it failed.
  function child.sync(kind, what)
    local result = child.measure(
      [[
      local _, kind, opts = ...
      local began = now()
      manager.start_sync(kind, opts, function(err, result)
        finish(path, { seconds = (now() - began) / 1e9, err = err and err.message,
          accounts = result and result.accounts or vim.empty_dict() })
      end)
    ]],
      kind,
      what or vim.empty_dict()
    )
    assert(not result.err, result.err)
    for name, account in pairs(result.accounts) do
      assert(not account.err, ('%s: %s'):format(name, account.err and account.err.message))
    end
    return result
  end
  return child
end

--- Counts the disk calls of programs started with its `env`, and moves their clocks.
function M.witness(tools)
  local path = vim.fn.tempname()
  local file = assert(io.open(path, 'wb'))
  file:write(('\0'):rep(24))
  file:close()
  local self = {
    env = { LD_PRELOAD = tools.root .. '/build/tests/witness.so', HIMALAYA_WITNESS = path },
  }
  --- fdatasync and fsync calls so far.
  function self.calls()
    local from = assert(io.open(path, 'rb'))
    local numbers = ffi.cast('const uint64_t *', ffi.new('char[25]', from:read('*a')))
    from:close()
    return { fdatasync = tonumber(numbers[0]), fsync = tonumber(numbers[1]) }
  end
  function self.move_clock(seconds)
    local to = assert(io.open(path, 'r+b'))
    to:seek('set', 16)
    local ahead = ffi.new('int64_t[1]', seconds * 1e9)
    to:write(ffi.string(ahead, 8))
    to:close()
  end
  return self
end

--- The sums over a proxy's connections since the last forget: round trips, bytes, connections.
function M.on_the_wire(proxy)
  local sums = { round_trips = 0, connections = 0, most = 0 }
  for _, connection in ipairs(proxy:ask({ ['do'] = 'report' }).connections) do
    sums.round_trips = sums.round_trips + connection.round_trips
    sums.most = math.max(sums.most, connection.round_trips)
    sums.connections = sums.connections + 1
  end
  return sums
end

--- Waits until nobody has spoken on these wires for a while.
function M.until_quiet(proxies)
  local child = require('tests.child')
  local before, since = -1, vim.uv.hrtime()
  child.wait_for(function()
    local trips = 0
    for _, proxy in ipairs(proxies) do
      trips = trips + M.on_the_wire(proxy).round_trips
    end
    if trips ~= before then
      before, since = trips, vim.uv.hrtime()
    end
    return vim.uv.hrtime() - since > 400e6
  end, 60000, 'the wires to be quiet')
end

--- The path of the database of an account in a child's data folder.
function M.store_of(child, account)
  return child.lua('return require("himalaya.config").data_dir()') .. '/' .. account
end

--- Kilobytes of a process, by a name of /proc/PID/status.
function M.kilobytes(pid, name)
  local file = io.open(('/proc/%d/status'):format(pid))
  if not file then
    return 0
  end
  local text = file:read('*a')
  file:close()
  return tonumber(text:match(name .. ':%s*(%d+)')) or 0
end

--- Kilobytes of a folder as du counts them.
function M.disk(tools, path)
  return tonumber(tools.run({ 'du', '-sk', path }):match('^%d+'))
end

--- Reads these items of every message in the inbox to nowhere; { seconds, bytes, lines }.
function M.raw(tools, server, user, items)
  return tools.raw(server, user, ('UID FETCH 1:* (%s)'):format(items))
end

--- The peer: mbsync into a Maildir of its own, see peers/mbsync.py. change: port, again, keep, env.
function M.mbsync(tools, server, user, change)
  change = change or {}
  local asked = {
    host = '127.0.0.1',
    port = change.port or server.tls_port,
    ca_file = server.ca_file,
    user = user,
    password = server.users[user].password,
    again = change.again,
    keep = change.keep,
  }
  local out = tools.run(
    { 'python3', 'tests/bench/peers/mbsync.py' },
    { stdin = vim.json.encode(asked), env = change.env }
  )
  return vim.json.decode(out)
end

return M
