-- The servers a spec or a bench may start, each a process of its own that ends with the Neovim that started it.
--
--   local servers = require('tests.servers')
--   local dovecot = servers.dovecot({ users = { 'home' }, messages = 200, tier = 2, without = { 'MOVE' } })
--   local gmail = servers.vendor('gmail', { quirks = { 'throttle' } })
--   local proxy = servers.proxy({ to = dovecot.port, delay = 20, mbit = 100 })
--   dovecot:imap('home')                     -- what himalaya.imap.open takes; :imap('home', { tls = 'none' })
--   dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 3 })      -- see each program's help for what it obeys
--   servers.stop()                           -- all of them; after_each(servers.stop) is the habit
local child = require('tests.child')

local M = {}

local root = vim.env.HIMALAYA_ROOT or vim.uv.cwd()
local running = {}

local Server = {}
Server.__index = Server

--- One command; its answer. Raises when the server refuses it or is gone.
function Server:ask(request)
  self.asked = self.asked + 1
  self.process:write(vim.json.encode(request) .. '\n')
  local answer = self:next_answer(self.asked, 60000, 'an answer to ' .. vim.inspect(request))
  if not answer.ok then
    error(('%s refused %s: %s'):format(self.name, vim.inspect(request), answer.error), 2)
  end
  return answer
end

function Server:next_answer(number, limit, what)
  child.wait_for(function()
    return self.answers[number] or self.code
  end, limit, ('%s: %s'):format(self.name, what))
  return self.answers[number]
    or error(('%s ended with exit code %s\n%s'):format(self.name, self.code, self.stderr), 3)
end

function Server:stop()
  if running[self] then
    running[self] = nil
    self.process:write(nil)
    if not vim.wait(child.limit(8000), function()
      return self.code ~= nil
    end, 5) then
      self.process:kill('sigkill')
      error(self.name .. ' did not end when its stdin closed')
    end
  end
end

--- Options for himalaya.imap.open: over TLS, by password, unless `change` says otherwise.
function Server:imap(user, change)
  local tls = change and change.tls or self.tls_port and 'implicit' or 'none'
  return vim.tbl_extend('force', {
    host = '127.0.0.1',
    port = tls == 'implicit' and self.tls_port or self.port,
    tls = tls,
    user = user,
    ca_file = self.ca_file,
    auth = { type = 'password', value = self.users[user].password },
  }, change or {})
end

--- Starts a program that follows tests/servers/program.py's manners and waits for its first line.
local function start(name, argv, limit)
  local server = setmetatable({ name = name, answers = {}, asked = 0, stderr = '' }, Server)
  local pending, first = '', nil
  server.process = vim.system(argv, {
    stdin = true,
    cwd = root,
    env = { PYTHONDONTWRITEBYTECODE = '1', PYTHONUNBUFFERED = '1' },
    stdout = function(_, data)
      pending = pending .. (data or '')
      while true do
        local line, rest = pending:match('^([^\n]*)\n(.*)$')
        if not line then
          break
        end
        pending = rest
        local value = vim.json.decode(line)
        if not first then
          first = value
        else
          table.insert(server.answers, value)
        end
      end
    end,
    stderr = function(_, data)
      server.stderr = server.stderr .. (data or '')
    end,
  }, function(done)
    server.code = done.signal ~= 0 and -done.signal or done.code
  end)
  running[server] = true
  child.wait_for(function()
    return first or server.code
  end, limit or 60000, name .. ' to be ready')
  if not first then
    running[server] = nil
    error(('%s ended with exit code %s\n%s'):format(name, server.code, server.stderr), 3)
  end
  for key, value in pairs(first) do
    server[key] = value
  end
  return server
end

local function add(argv, flag, value)
  if value == true then
    table.insert(argv, flag)
  elseif type(value) == 'table' then
    for _, item in ipairs(value) do
      vim.list_extend(argv, { flag, item })
    end
  elseif value then
    vim.list_extend(argv, { flag, tostring(value) })
  end
end

function M.has_dovecot()
  return vim.fn.executable('dovecot') == 1 or vim.fn.executable('/usr/sbin/dovecot') == 1
end

--- tests/servers/dovecot.py. opts: users, password, messages, seed, format, warm, tier, without, no_compress,
--- mechanisms, certificate, max_connections, still_here, last_date.
function M.dovecot(opts)
  local argv = { 'python3', root .. '/tests/servers/dovecot.py' }
  for key, value in pairs(opts or {}) do
    add(argv, '--' .. (key == 'users' and 'user' or key:gsub('_', '-')), value)
  end
  return start('dovecot', argv, 120000)
end

--- tests/servers/vendors. opts: quirks (added), without (quirks removed), messages, seed, tls, certificate, set.
function M.vendor(name, opts)
  local argv = { 'python3', root .. '/tests/servers/vendor.py', name }
  for key, value in pairs(opts or {}) do
    local flag = ({ quirks = 'quirk', without = 'no-quirk' })[key] or key:gsub('_', '-')
    add(argv, '--' .. flag, value)
  end
  return start(name, argv)
end

--- tests/tools/proxy.cpp. opts: to (a port), delay (ms each way), mbit, certificate and key (TLS ends in the proxy).
function M.proxy(opts)
  local argv = { (vim.env.HIMALAYA_BUILD_DIR or root .. '/build') .. '/tests/proxy' }
  for key, value in pairs(opts) do
    add(argv, '--' .. key, value)
  end
  return start('proxy', argv)
end

--- Ends every server, whatever state the test left it in.
function M.stop()
  local trouble
  for server in pairs(running) do
    local ok, message = pcall(server.stop, server)
    trouble = trouble or not ok and message or nil
  end
  if trouble then
    error(trouble, 0)
  end
end

return M
