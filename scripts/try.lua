-- The init.lua of scripts/try: a Dovecot of its own with four accounts and mail that keeps coming, and the screen on
-- it; or the sidebar's text, once synced and again when new mail came by push, where there is no terminal.
local headless = vim.env.HIMALAYA_TRY == 'headless'
local root = vim.fs.dirname(vim.fs.dirname(vim.fs.normalize(debug.getinfo(1, 'S').source:sub(2))))

local source = vim.env.HIMALAYA_TRY_SOURCE
-- What server.py ends with where there is no Dovecot.
local NO_SERVER = 3

local server ---@type table
local gone = false
local leaving = false

local function fail(problem)
  io.stderr:write(tostring(problem), '\n')
  vim.cmd('cquit 1')
end

-- Mail may come while Neovim leaves and waits for the server to end.
---@param fn fun(...)
local function guarded(fn)
  return vim.schedule_wrap(function(...)
    if leaving then
      return
    end
    local ok, problem = pcall(fn, ...)
    if not ok then
      fail(problem)
    end
  end)
end

--- Starts what makes the demo's mail; it ends when its stdin closes, so also when this Neovim is killed.
---@param program string
---@param on_line fun(said: table) each line it says; the first when all is ready
---@param on_missing? fun() it cannot run here
local function start_server(program, on_line, on_missing)
  local pending, trouble = '', ''
  local every = headless and '1' or '4'
  server = vim.system(
    { 'python3', root .. '/scripts/demo/' .. program, '--messages', '5000', '--every', every },
    {
      stdin = true,
      env = { PYTHONDONTWRITEBYTECODE = '1', PYTHONUNBUFFERED = '1' },
      stdout = function(_, data)
        pending = pending .. (data or '')
        for line in pending:gmatch('([^\n]*)\n') do
          guarded(on_line)(vim.json.decode(line))
        end
        pending = pending:match('[^\n]*$')
      end,
      stderr = function(_, data)
        trouble = trouble .. (data or '')
      end,
    },
    function(ended)
      if ended.code == NO_SERVER and on_missing then
        return guarded(on_missing)()
      end
      gone = true
      if not leaving then
        guarded(error)('The demo server ended.\n' .. trouble, 0)
      end
    end
  )
end

vim.api.nvim_create_autocmd('VimLeavePre', {
  callback = function()
    leaving = true
    if server and not gone then
      server:write(nil)
      -- It takes its thousands of files with it, which is a second where nobody else wants the disk.
      vim.wait(60000, function()
        return gone
      end, 10)
    end
  end,
})

---@param ready table
local function options(ready)
  return {
    accounts = dofile(root .. '/scripts/demo/accounts.lua')(ready),
    default_account = 'home',
    async = { startup_delay = 0 },
  }
end

---@return string
local function sidebar_text()
  local buffer = require('himalaya.ui.sidebar').buffer()
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
end

-- Calls `fn` once `condition` holds; it is asked ten times a second.
---@param condition fun(): boolean
---@param fn fun()
local function once(condition, fn)
  local timer = assert(vim.uv.new_timer())
  timer:start(
    0,
    100,
    guarded(function()
      if not timer:is_closing() and condition() then
        timer:close()
        fn()
      end
    end)
  )
end

---@return boolean
local function all_synced()
  local status = require('himalaya').status()
  for _, account in pairs(status.accounts) do
    if not account.last_sync or not account.unread then
      return false
    end
  end
  local shown = sidebar_text()
  local complete = select(2, shown:gsub('INBOX', '')) == vim.tbl_count(status.accounts)
  return complete and not shown:find('⟳', 1, true)
end

---@param how string
local function print_when_mail_came(how)
  local arrived ---@type table?
  local first = ''
  once(all_synced, function()
    first = sidebar_text()
    io.stdout:write('\n== The sidebar, once synced\n', first, '\n')
    vim.api.nvim_create_autocmd('User', {
      pattern = 'HimalayaNewMail',
      once = true,
      callback = function(event)
        arrived = event.data
      end,
    })
  end)
  once(function()
    return arrived ~= nil and sidebar_text() ~= first
  end, function()
    local what = ('%d new in %s of %s, %s'):format(arrived.count, arrived.folder, arrived.account, how)
    io.stdout:write(('\n== The sidebar, after %s\n'):format(what), sidebar_text(), '\n')
    vim.cmd('qa!')
  end)
end

---@param words string said on the screen; in 80 columns there is room for 68 before Neovim asks for a key
---@param how string
local function show(words, how)
  vim.cmd('Himalaya')
  if headless then
    print_when_mail_came(how)
  else
    vim.notify(words .. ' g? shows keys, :qa leaves.')
  end
end

---@param ready table
local function show_server(ready)
  require('himalaya').setup(options(ready))
  show('Mail keeps coming; see :help himalaya.', 'by push')
end

-- The demo without a server: mail is brought from Maildirs into the accounts' stores, and what is done there is done.

---@param account string
---@param folder string
---@param path string
---@param fn fun()
local function bring(account, folder, path, fn)
  require('himalaya.mail').import(account, folder, path, {}, function(err)
    if err then
      fail(err.message)
    end
    fn()
  end)
end

---@param account string
---@param folders table<string, string>
---@param fn fun()
local function bring_all(account, folders, fn)
  local names = vim.tbl_keys(folders)
  table.sort(names, function(a, b)
    return a == 'INBOX' and b ~= 'INBOX' or (b ~= 'INBOX' and a < b)
  end)
  local function next_one(at)
    if not names[at] then
      return fn()
    end
    bring(account, names[at], folders[names[at]], function()
      next_one(at + 1)
    end)
  end
  next_one(1)
end

local settling = {} ---@type table<string, boolean>

---@param account string
local function settle(account)
  if settling[account] then
    return
  end
  settling[account] = true
  require('himalaya.native').mail.settle(account, function(err, count)
    settling[account] = nil
    require('himalaya.mail.home').count_pending(account)
    -- What was done meanwhile; a deletion for good waits for `undo` first.
    if not err and count > 0 then
      settle(account)
    end
  end)
end

---@param said table
local function local_mail_came(said)
  bring(said.account, said.folder, said.arrived, function()
    require('himalaya.mail').list(said.account, said.folder, { page_size = 1 }, function(_, page)
      if page and page.items[1] then
        require('himalaya.events').emit(
          'HimalayaNewMail',
          { account = said.account, folder = said.folder, ids = { page.items[1].id }, count = 1 }
        )
      end
    end)
  end)
end

---@param ready table
local function show_maildirs(ready)
  local accounts = {}
  for name, folders in pairs(ready.accounts) do
    accounts[name] = { email = name .. '@example.org', source = 'maildir', maildir = folders.INBOX }
  end
  require('himalaya').setup({ accounts = accounts, default_account = 'home', sync = { auto = false } })
  local words = 'No mail server runs here: this demo is a local one, from Maildirs.'
  if headless then
    io.stdout:write(words, '\n')
  end
  local state = require('himalaya.core.state')
  for name, folders in pairs(ready.accounts) do
    bring_all(name, folders, function()
      state.update(name, { state = 'idle', last_sync = os.time() })
      require('himalaya.ui.sidebar').refresh()
    end)
  end
  require('himalaya.mail.home').subscribe(settle)
  local ten_seconds = assert(vim.uv.new_timer())
  ten_seconds:start(
    10000,
    10000,
    guarded(function()
      for name in pairs(ready.accounts) do
        settle(name)
      end
    end)
  )
  show('A local Maildir demo: no server here.', 'into its Maildir')
end

local function start_maildirs()
  start_server('maildir.py', function(said)
    if said.accounts then
      show_maildirs(said)
    else
      local_mail_came(said)
    end
  end)
end

vim.api.nvim_create_autocmd('VimEnter', {
  callback = guarded(function()
    if not headless then
      vim.notify('The demo mailbox is being filled ...')
    end
    -- What a plugin manager does; a checkout that may not be written has no |:help|.
    pcall(vim.cmd.helptags, root .. '/doc')
    if source == 'maildir' then
      start_maildirs()
    else
      start_server('server.py', show_server, start_maildirs)
    end
  end),
})
