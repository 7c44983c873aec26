-- The options as they hold now. `setup` replaces them as a whole: each call begins with the defaults, so that what a
-- user takes out of their configuration is gone after the next call. Reading costs a table look-up; nothing here
-- touches disk or network.

local nearest = require('himalaya.nearest')
local validate = require('himalaya.config.validate')

local M = {}

-- An account's name becomes part of file names and addresses.
local ACCOUNT_NAME = '^[%w_@-][%w._@-]*$'

---@class (exact) himalaya.config.State
---@field options table?
---@field problems himalaya.config.Problem[]
---@field watchers table<string, fun(options: table)>
local state = { options = nil, problems = {}, watchers = {} }

---@param path string
---@param message string
local function problem(path, message)
  table.insert(state.problems, { path = path, message = message })
end

---@param options table
---@return string[]
local function names(options)
  local list = vim.tbl_keys(options.accounts)
  table.sort(list)
  return list
end

-- Earlier names set the option they stood for, unless that one is given too.
---@param taken table
local function follow_aliases(taken)
  for _, key in ipairs({ 'auto_sync_enabled', 'auto_sync_interval', 'auto_sync_startup_delay' }) do
    local value = vim.tbl_get(taken, 'ui', key)
    if value ~= nil then
      local node = validate.tree.children.ui.children[key]
      local room, option = node.option.alias:match('^(%w+)%.([%w_]+)$')
      taken[room] = taken[room] or {}
      if taken[room][option] == nil then
        -- The same bounds hold under both names.
        local held, wrong = validate.run({ [room] = { [option] = value } })
        taken[room][option] = vim.tbl_get(held, room, option)
        for _, each in ipairs(wrong) do
          problem('ui.' .. key, each.message:gsub('^`[^`]*`', '`ui.' .. key .. '`'))
        end
      end
    end
  end
end

-- What is missing because it was wrong has been said already.
---@param path string
---@param message string
local function missing(path, message)
  for _, each in ipairs(state.problems) do
    if each.path == path or vim.startswith(each.path, path .. '.') then
      return
    end
  end
  problem(path, message)
end

---@param path string
---@param auth table
local function check_auth(path, auth)
  local ways = {}
  for _, way in ipairs({ 'command', 'env', 'value' }) do
    if auth[way] ~= nil then
      ways[#ways + 1] = '`' .. way .. '`'
    end
  end
  if auth.type == 'oauth2' then
    if not auth.command and not auth.provider then
      missing(path, ('`%s` has no `provider` and no `command`: nothing can give a token.'):format(path))
    elseif type(auth.provider) == 'table' and not auth.provider.token then
      missing(
        path .. '.provider.token',
        ('`%s.provider.token` is missing: where are tokens asked for?'):format(path)
      )
    elseif auth.provider and not auth.command and not auth.client_id then
      missing(path .. '.client_id', ('`%s.client_id` is missing: the provider wants one.'):format(path))
    end
  elseif #ways == 0 then
    missing(path, ('`%s` has none of `command`, `env` and `value`: there is no password.'):format(path))
  elseif #ways > 1 then
    problem(path, ('`%s` has %s: only the first is used.'):format(path, table.concat(ways, ' and ')))
    local first = auth.command and 'command' or 'env'
    for _, way in ipairs({ 'env', 'value' }) do
      if way ~= first then
        auth[way] = nil
      end
    end
  end
end

---@param path string
---@param account table
local function complete_imap(path, account)
  local node = validate.tree.children.accounts.any.children.imap
  local imap = account.imap
  if not imap then
    missing(path .. '.imap', ('`%s.imap` is missing: say at least `imap = { host = ... }`.'):format(path))
    return
  end
  if not imap.host then
    missing(path .. '.imap.host', ('`%s.imap.host` is missing.'):format(path))
  end
  if imap.tls and imap.tls ~= 'implicit' and not imap.port then
    imap.port = 143
  end
  imap.user = imap.user or account.email
  if not imap.user then
    missing(path .. '.imap.user', ('`%s.imap.user` is missing, and there is no `email` either.'):format(path))
  end
  imap.auth = imap.auth or {}
  validate.fill(node, imap)
  check_auth(path .. '.imap.auth', imap.auth)
end

---@param name string
---@param account table
local function complete_account(name, account)
  local path = 'accounts.' .. name
  if not account.source then
    account.source = account.maildir and 'maildir'
      or (account.himalaya and not account.imap and 'himalaya')
      or 'imap'
  end
  account.bodies = account.bodies or 'all'
  if account.source == 'imap' then
    complete_imap(path, account)
  elseif account.source == 'maildir' then
    if not account.maildir then
      missing(
        path .. '.maildir',
        ('`%s.maildir` is missing: say which folder holds the Maildir.'):format(path)
      )
    end
    if account.mbsync then
      account.mbsync.inbox_channel = account.mbsync.inbox_channel or account.mbsync.channel
    end
  else
    account.himalaya = account.himalaya or {}
    account.himalaya.account = account.himalaya.account or name
  end
end

---@param taken table
local function complete_accounts(taken)
  for _, name in ipairs(names({ accounts = taken.accounts or {} })) do
    if not name:find(ACCOUNT_NAME) then
      local shown = name:gsub('[%c\127]', '?'):sub(1, 64)
      problem(
        'accounts["' .. shown .. '"]',
        ('`accounts["%s"]` is no name for an account: letters, digits and `._@-` may be in it, no leading dot.'):format(
          shown
        )
      )
      taken.accounts[name] = nil
    else
      complete_account(name, taken.accounts[name])
    end
  end
end

---@param options table
local function complete_default_account(options)
  local known = names(options)
  local wanted = options.default_account
  if wanted and not options.accounts[wanted] then
    local near = nearest.of(wanted, known)
    local hint = near and ('; the nearest is `%s`.'):format(near) or ': there are no accounts.'
    problem('default_account', '`default_account` names no account' .. hint)
    wanted = nil
  end
  options.default_account = wanted or known[1]
end

---@return table
local function defaults()
  local options = {}
  validate.fill(validate.tree, options)
  return options
end

--- Replaces the options. Wrong keys and values are left out and told by `problems()`.
---@param given table?
function M.set(given)
  local taken, problems = validate.run(given or {})
  state.problems = problems
  if given and given.keymaps and taken.keymaps then
    require('himalaya.keymaps').check(taken.keymaps, problem)
  end
  follow_aliases(taken)
  complete_accounts(taken)
  validate.fill(validate.tree, taken)
  complete_default_account(taken)
  table.sort(state.problems, function(a, b)
    return a.path < b.path
  end)
  state.options = taken
  for _, watcher in pairs(state.watchers) do
    local ok, err = pcall(watcher, taken)
    if not ok then
      require('himalaya.notify').error('An option could not be put to use: ' .. tostring(err))
    end
  end
end

--- The options that hold now, defaults included. To be read only.
---@return table
function M.get()
  if not state.options then
    state.options = defaults()
  end
  return state.options
end

--- One account's options, defaults included.
---@param name string
---@return table? account nil when there is no such account
function M.account(name)
  return M.get().accounts[name]
end

--- The names of the accounts, sorted.
---@return string[]
function M.account_names()
  return names(M.get())
end

--- What was wrong with the options given last.
---@return himalaya.config.Problem[]
function M.problems()
  return state.problems
end

--- The folder of the store.
---@return string
function M.data_dir()
  return M.get().data_dir or vim.fs.joinpath(vim.fn.stdpath('data'), 'himalaya')
end

--- The file that several Neovims share to choose their leader.
---@return string
function M.coordination_file()
  local file = M.get().sync.coordination.file
  if file then
    return file
  end
  local home = vim.env.XDG_CONFIG_HOME
  if not home or home == '' then
    home = vim.fs.normalize('~/.config')
  end
  return vim.fs.joinpath(home, 'himalaya', 'sync_coordinator.json')
end

--- The environment variables that hold passwords; no program we start may see them.
---@return string[]
function M.secret_env()
  local list = {}
  for _, account in pairs(M.get().accounts) do
    list[#list + 1] = vim.tbl_get(account, 'imap', 'auth', 'env')
  end
  table.sort(list)
  return list
end

--- Calls `fn(options)` after every `setup`. One per name: a module that is loaded again replaces itself.
---@param name string
---@param fn fun(options: table)?
function M.watch(name, fn)
  state.watchers[name] = fn
end

return M
