-- The accounts' stores, opened when somebody first asks for one, and what is heard from them afterwards: news go to
-- the screen's subscribers and to what the statusline knows.

local config = require('himalaya.config')
local errors = require('himalaya.errors')
local state = require('himalaya.core.state')

local M = {}

---@class (exact) himalaya.mail.Account
---@field open boolean
---@field options table those it was opened with, or is being opened with
---@field seen table the account's options as `setup` gave them last, to know those that were looked at
---@field waiting fun(err: himalaya.Error?)[]

local accounts = {} ---@type table<string, himalaya.mail.Account>
local on_open = {} ---@type fun(name: string)[]
local subscribers = {} ---@type table<integer, fun(account: string, news: table)>
local last_subscriber = 0

--- What native.mail.open takes, from the options.
---@param options table
---@return table
local function opening(options)
  local all = config.get()
  local opts = {
    data_dir = config.data_dir(),
    bodies = options.bodies ~= 'on_demand',
    newest_days = type(options.bodies) == 'number' and options.bodies or nil,
    include = options.folders and options.folders.include,
    exclude = options.folders and options.folders.exclude,
    roles = options.folders and options.folders.roles,
    at_once = all.sync.max_concurrent_syncs,
  }
  if options.imap then
    local imap = vim.deepcopy(options.imap)
    if imap.auth and imap.auth.value then
      imap.auth.value = require('himalaya.config.secret').reveal(imap.auth.value)
    end
    imap.network_timeout = all.performance.network_timeout
    imap.exponential_backoff = all.performance.exponential_backoff
    imap.bandwidth_limit = imap.bandwidth_limit or all.performance.bandwidth_limit
    imap.debug = all.notify.debug or nil
    opts.imap = imap
  end
  return opts
end

---@param name string
local function count_unread(name)
  require('himalaya.native').mail.folders(name, function(err, folders)
    if err then
      return
    end
    local unread
    for _, folder in ipairs(folders) do
      if folder.role == 'inbox' then
        unread = folder.unread
      end
    end
    state.update(name, { unread = unread })
  end)
end

---@param name string
local function listen(name)
  local native = require('himalaya.native').mail
  local last_op
  native.listen(name, function(news)
    state.update(name, { pending_ops = news.pending_ops })
    for _, fresh in ipairs(news.fresh) do
      require('himalaya.events').emit(
        'HimalayaNewMail',
        { account = name, folder = fresh.folder, ids = fresh.ids, count = #fresh.ids }
      )
    end
    if last_op and news.last_op > last_op and news.pending_ops > 0 then
      require('himalaya.sync.auto').after_others_action(name)
    end
    last_op = news.last_op
    for _, folder in ipairs(news.folders) do
      if folder.role == 'inbox' then
        state.update(name, { unread = folder.unread })
      end
    end
    for id in pairs(vim.tbl_extend('force', {}, subscribers)) do
      if subscribers[id] then
        subscribers[id](name, news)
      end
    end
  end)
  count_unread(name)
  M.count_pending(name)
end

--- Brings the number of changes that wait to be sent up to date.
---@param name string
function M.count_pending(name)
  if not M.is_open(name) then
    return
  end
  require('himalaya.native').mail.pending(name, function(err, count)
    if not err then
      state.update(name, { pending_ops = count })
    end
  end)
end

--- What is wrong with options that the native module does not take, as users know them.
---@param name string
---@param why string
---@return himalaya.Error
local function not_opened(name, why)
  local option, wrong = why:match('opts%.([%w_.]+): (.*)$')
  local said = option and ('`accounts.%s.%s`: %s.'):format(name, option, wrong):gsub('`: is', '` is') or why
  return errors.new('config', 'The account cannot be opened: ' .. said, 'See :checkhealth himalaya.')
end

---@param name string
---@return himalaya.Error
local function unknown(name)
  return errors.new('config', ('There is no account `%s`.'):format(name), 'See :checkhealth himalaya.')
end

local function keep_in_memory()
  require('himalaya.native').mail.keep_in_memory(math.floor(config.get().performance.cache_size_mb * 2 ^ 20))
end

local start

---@param name string
function start(name)
  local account = accounts[name]
  account.seen = config.account(name)
  account.options = opening(account.seen)
  keep_in_memory()
  local function opened(err, notice, watched)
    if not err and account.seen ~= config.account(name) then
      -- The options were replaced meanwhile.
      require('himalaya.native').mail.close(name)
      if config.account(name) then
        return start(name)
      end
      err = unknown(name)
    end
    account.open = err == nil
    if err then
      accounts[name] = nil
    else
      listen(name)
      if not watched then
        require('himalaya.mail.unwatched').begin(name)
      end
      for _, fn in ipairs(on_open) do
        fn(name)
      end
      if notice and notice ~= '' then
        require('himalaya.notify').warn(notice)
      end
    end
    local waiting = account.waiting
    account.waiting = {}
    for _, fn in ipairs(waiting) do
      fn(err)
    end
  end
  local ok, why = pcall(require('himalaya.native').mail.open, name, account.options, opened)
  if not ok then
    opened(not_opened(name, tostring(why)))
  end
end

-- A module that does not load is an error like any other for who waits for mail.
---@param why string
---@return himalaya.Error
local function not_loaded(why)
  local message, mend = why:gsub('^himalaya: ', ''):match('^(.-)\n.-\n%s*(.*)$')
  message = message or why
  local hint = mend and ('Run `%s`, then start Neovim again.'):format(mend) or 'See :checkhealth himalaya.'
  return errors.new('internal', message:sub(1, 1):upper() .. message:sub(2), hint)
end

--- Calls `fn` once the account's store is open; at once when it is.
---@param name string
---@param fn fun(err: himalaya.Error?)
function M.with(name, fn)
  if not config.account(name) then
    return fn(unknown(name))
  end
  local loads, why = pcall(require, 'himalaya.native')
  if not loads then
    return fn(not_loaded(tostring(why)))
  end
  M._follow(name)
  if M.is_open(name) then
    return fn(nil)
  end
  if accounts[name] then
    return table.insert(accounts[name].waiting, fn)
  end
  accounts[name] = { open = false, options = {}, seen = {}, waiting = { fn } }
  start(name)
end

--- Calls `fn(name)` whenever an account's store has been opened.
---@param fn fun(name: string)
function M.on_open(fn)
  table.insert(on_open, fn)
end

---@param name string
---@return boolean
function M.is_open(name)
  return accounts[name] ~= nil and accounts[name].open
end

--- Closes an account's store; what runs for it ends with `cancelled`.
---@param name string
function M.close(name)
  if M.is_open(name) then
    accounts[name] = nil
    require('himalaya.native').mail.close(name)
  end
end

--- Closes an open account that is not in the options any more, and opens one anew whose options are others now.
---@param name string
function M._follow(name)
  local account, now = accounts[name], config.account(name)
  if not (account and account.open) or account.seen == now then
    return
  end
  account.seen = now
  if not now or not vim.deep_equal(account.options, opening(now)) then
    M.close(name)
    if now then
      accounts[name] = { open = false, options = {}, seen = {}, waiting = {} }
      start(name)
    end
  end
end

-- setup() itself only takes the options over; what is open follows a turn later, or when it is asked for.
config.watch('himalaya.mail.home', function()
  vim.schedule(function()
    if next(accounts) then
      keep_in_memory()
    end
    for _, name in ipairs(vim.tbl_keys(accounts)) do
      M._follow(name)
    end
  end)
end)

--- `fn(account, news)` after every commit, whoever made it: { seq, folders, messages, left, too_many }.
---@param fn fun(account: string, news: table)
---@return { stop: fun() }
function M.subscribe(fn)
  last_subscriber = last_subscriber + 1
  local id = last_subscriber
  subscribers[id] = fn
  return {
    stop = function()
      subscribers[id] = nil
    end,
  }
end

return M
