-- needs dovecot
-- CTRL-Z stops the terminal's half of Neovim only: the editor goes on, so it neither holds its store while its user
-- types in the shell nor stops what it was writing. A real terminal with a real shell, whose job it is.
local child = require('tests.child')
local servers = require('tests.servers')

local root = vim.env.HIMALAYA_ROOT or vim.uv.cwd()

local dovecot, channel, dir

local function tmux(...)
  local done = vim.system({ 'tmux', '-f', '/dev/null', '-S', dir .. '/tmux', ... }, { text = true }):wait()
  return done.code == 0, done.stdout
end

local function ask(code, ...)
  return vim.rpcrequest(channel, 'nvim_exec_lua', code, { ... })
end

local function wait_for(condition, what)
  return child.wait_for(condition, 30000, what)
end

--- Whether the shell has the terminal back.
local function is_suspended()
  local _, command = tmux('display-message', '-p', '#{pane_current_command}')
  return vim.trim(command) == 'bash'
end

local function start()
  dir = vim.fn.tempname()
  vim.fn.mkdir(dir .. '/data', 'p', '0700')
  local setup = {
    accounts = { home = { email = 'home@example.org', imap = dovecot:imap('home') } },
    async = { enabled = false },
    data_dir = dir .. '/data',
  }
  local lines = ('vim.opt.runtimepath:prepend(%q)\nvim.opt.swapfile = false\nrequire("himalaya").setup(%s)'):format(
    root,
    vim.inspect(setup)
  )
  vim.fn.writefile(vim.split(lines, '\n'), dir .. '/init.lua')
  assert.is_true(tmux('new-session', '-d', '-x', '80', '-y', '24', 'bash --norc --noprofile -i'))
  local nvim = vim.env.HIMALAYA_NVIM or vim.v.progpath
  -- The editor's half is started by the terminal's, and could not be with a sanitizer preloaded.
  local plain = ('env -u HIMALAYA_PRELOAD -u HIMALAYA_SANITIZER HIMALAYA_BUILD_DIR=%s/build'):format(root)
  local command = ('%s %s -n -i NONE -u %s/init.lua --listen %s/socket'):format(plain, nvim, dir, dir)
  tmux('send-keys', command, 'Enter')
  wait_for(function()
    local ok, id = pcall(vim.fn.sockconnect, 'pipe', dir .. '/socket', { rpc = true })
    channel = ok and id > 0 and id or nil
    return channel
  end, 'Neovim in the terminal')
  wait_for(function()
    return ask('return vim.v.vim_did_enter') == 1 and not is_suspended()
  end, 'its start')
end

local function written()
  return ask('return _G.written')
end

local function wait_for_writes(what)
  local before = written()
  wait_for(function()
    return written() > before + 3
  end, what)
end

--- Another process that wants to write and waits as long as any store's does.
local function can_write()
  local script = 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None); '
    .. 'db.execute("BEGIN IMMEDIATE"); db.execute("ROLLBACK")'
  return vim.system({ 'python3', '-c', script, dir .. '/data/home/mail.db' }, { text = true }):wait()
end

describe('a Neovim that is suspended while it writes', function()
  before_each(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 300 })
  end)
  after_each(function()
    if channel then
      pcall(vim.rpcnotify, channel, 'nvim_command', 'qa!')
      pcall(vim.fn.chanclose, channel)
    end
    tmux('kill-server')
    channel = nil
    servers.stop()
    vim.fn.delete(dir, 'rf')
  end)

  it('keeps nobody from its store, and writes on', function()
    start()
    ask([[
      _G.written = 0
      local mail = require('himalaya.mail')
      require('himalaya.sync.manager').start_sync('full', {}, function(err)
        _G.failed = err and err.message
        mail.list('home', 'INBOX', { page_size = 300 }, function(_, page)
          local ids = vim.tbl_map(function(item) return item.id end, page.items)
          local function write(failed)
            _G.failed = _G.failed or failed and failed.message
            _G.written = _G.written + 1
            local change = _G.written % 2 == 0 and 'add' or 'remove'
            vim.defer_fn(function()
              mail.flag('home', 'INBOX', ids, { [change] = { 'flagged' } }, write)
            end, 10)
          end
          write()
        end)
      end)
    ]])
    for _ = 1, 3 do
      wait_for_writes('writes')
      tmux('send-keys', 'C-z')
      wait_for(is_suspended, 'Neovim to be suspended')
      local tried = can_write()
      assert.equal(0, tried.code, tried.stderr)
      wait_for_writes('writes of a suspended one')
      tmux('send-keys', 'fg', 'Enter')
      wait_for(function()
        return not is_suspended()
      end, 'Neovim to be back')
    end
    wait_for_writes('writes of one that is back')
    assert.equal(vim.NIL, ask('return _G.failed'))
  end)
end)
