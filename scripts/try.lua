-- The init.lua of scripts/try: a Dovecot of its own with four accounts and mail that keeps coming, and the screen on
-- it; or the sidebar's text, once synced and again when new mail came by push, where there is no terminal.
local headless = vim.env.HIMALAYA_TRY == 'headless'
local root = vim.fs.dirname(vim.fs.dirname(vim.fs.normalize(debug.getinfo(1, 'S').source:sub(2))))

local server ---@type table
local gone = false
local leaving = false

local function fail(problem)
  io.stderr:write(tostring(problem), '\n')
  vim.cmd('cquit 1')
end

---@param fn fun(...)
local function guarded(fn)
  return vim.schedule_wrap(function(...)
    local ok, problem = pcall(fn, ...)
    if not ok then
      fail(problem)
    end
  end)
end

--- Starts the demo's server; it ends when its stdin closes, so also when this Neovim is killed.
---@param on_ready fun(ready: table)
local function start_server(on_ready)
  local pending, said, trouble = '', false, ''
  local every = headless and '1' or '4'
  server = vim.system(
    { 'python3', root .. '/scripts/demo/server.py', '--messages', '5000', '--every', every },
    {
      stdin = true,
      env = { PYTHONDONTWRITEBYTECODE = '1', PYTHONUNBUFFERED = '1' },
      stdout = function(_, data)
        pending = pending .. (data or '')
        local line = pending:match('^([^\n]*)\n')
        if line and not said then
          said = true
          guarded(on_ready)(vim.json.decode(line))
        end
      end,
      stderr = function(_, data)
        trouble = trouble .. (data or '')
      end,
    },
    function()
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
      vim.wait(8000, function()
        return gone
      end, 10)
    end
  end,
})

---@param ready table
local function options(ready)
  local accounts = {}
  for name, user in pairs(ready.users) do
    accounts[name] = {
      email = name .. '@example.org',
      imap = {
        host = ready.host,
        port = ready.tls_port,
        user = name,
        ca_file = ready.ca_file,
        auth = { type = 'password', value = user.password },
      },
    }
  end
  return { accounts = accounts, default_account = 'home', async = { startup_delay = 0 } }
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

local function print_when_mail_came()
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
    local what = ('%d new in %s of %s, by push'):format(arrived.count, arrived.folder, arrived.account)
    io.stdout:write(('\n== The sidebar, after %s\n'):format(what), sidebar_text(), '\n')
    vim.cmd('qa!')
  end)
end

vim.api.nvim_create_autocmd('VimEnter', {
  callback = guarded(function()
    if not headless then
      vim.notify('The demo mailbox is being filled ...')
    end
    start_server(function(ready)
      require('himalaya').setup(options(ready))
      vim.cmd('Himalaya')
      if headless then
        print_when_mail_came()
      else
        vim.notify('Four demo accounts; new mail comes every few seconds. g? shows the keys, :qa leaves.')
      end
    end)
  end),
})
