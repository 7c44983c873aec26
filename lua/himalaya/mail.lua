-- Mail of every account, whatever its source: lists, messages and what is done to them. All of it is answered from
-- the local store, so it works offline and in milliseconds; only a message whose text is not here yet is fetched.
-- What is done is seen at once and carried to the server as soon as that can be reached.

local arguments = require('himalaya.mail.arguments')
local check = require('himalaya.check')
local config = require('himalaya.config')
local errors = require('himalaya.errors')
local home = require('himalaya.mail.home')
local tell = require('himalaya.tell')

local M = {}

--- @class himalaya.mail.Handle
--- @field id integer
--- @field private _op integer?
--- @field private _abandon fun(): boolean
local Handle = {}
Handle.__index = Handle

local last = 0

-- What this Neovim did and has not taken back, the last at the end; the store knows more than is kept here.
local KEPT_ACTIONS = 100
local acted = {} ---@type { account: string, op: integer, what: string }[]

--- Asks it to stop; the callback comes with `cancelled`.
---@return boolean alive whether it was still under way
function Handle:cancel()
  return self._abandon()
end

--- cancel(), in the shape vim.async knows.
---@param cb? fun()
function Handle:close(cb)
  self:cancel()
  if cb then
    vim.schedule(cb)
  end
end

--- Opens the account, then begins; the callback is called once, whatever happens.
---@param account string
---@param cb fun(err: himalaya.Error?, result: any)
---@param begin fun(done: fun(err: himalaya.Error?, result: any)): integer
---@param stop? fun(op: integer): boolean
---@return himalaya.mail.Handle
local function run(account, cb, begin, stop)
  last = last + 1
  local over, op, deferred = false, nil, false
  local function done(err, result)
    if not over then
      over = true
      tell(cb, err, result)
    end
  end
  home.with(account, function(err)
    if over then
      return
    end
    if err then
      -- Never before the caller has its handle.
      return vim.schedule(function()
        done(err)
      end)
    end
    local ok, begun = pcall(begin, done)
    if ok then
      op = begun
    elseif deferred then
      -- Too late to raise it where it was called from.
      done(errors.new('invalid', tostring(begun)))
    else
      over = true
      error(begun, 0)
    end
  end)
  deferred = true
  return setmetatable({
    id = last,
    _abandon = function()
      if over then
        return false
      end
      if op then
        return (stop or require('himalaya.native').mail.cancel)(op)
      end
      vim.schedule(function()
        done(errors.new('cancelled', 'Cancelled.'))
      end)
      return true
    end,
  }, Handle)
end

--- The accounts of the options, by name.
---@return { name: string, email: string?, source: string }[]
function M.accounts()
  local list = {}
  for _, name in ipairs(config.account_names()) do
    local account = config.account(name)
    list[#list + 1] =
      { name = name, email = account.email or vim.tbl_get(account, 'imap', 'user'), source = account.source }
  end
  return list
end

---@param account string
---@param cb fun(err?: himalaya.Error, folders?: himalaya.Folder[])
---@return himalaya.mail.Handle
function M.folders(account, cb)
  check('account', account, 'string')
  check('cb', cb, 'function')
  return run(account, cb, function(done)
    return require('himalaya.native').mail.folders(account, done)
  end)
end

--- A page of a folder: by cursor, which is as fast anywhere and stays right while mail comes and goes, or by number.
---@param account string
---@param folder string
---@param opts? himalaya.ListOptions
---@param cb fun(err?: himalaya.Error, result?: himalaya.Listing)
---@return himalaya.mail.Handle
function M.list(account, folder, opts, cb)
  check('account', account, 'string')
  check('folder', folder, 'string')
  check('opts', opts, { 'table', 'nil' })
  check('cb', cb, 'function')
  if opts then
    arguments.whole('opts.page', opts.page, 1, 2 ^ 30, true)
    arguments.whole('opts.page_size', opts.page_size, 1, 5000, true)
    arguments.cursor('opts.after', opts.after)
    arguments.cursor('opts.before', opts.before)
    check('opts.query', opts.query, { 'string', 'nil' })
    check('opts.thread', opts.thread, { 'boolean', 'nil' })
  end
  local given = vim.tbl_extend('keep', opts or {}, { fresh_for = config.get().async.cache_ttl })
  local auto = package.loaded['himalaya.sync.auto']
  if auto then
    auto.look(account, folder)
  end
  return run(account, cb, function(done)
    return require('himalaya.native').mail.list(account, folder, given, done)
  end)
end

--- The number of messages and of unread ones, never by listing; nil where nobody knows.
---@param account string
---@param folder string
---@param cb fun(err?: himalaya.Error, result?: { total?: integer, unread?: integer })
---@return himalaya.mail.Handle
function M.count(account, folder, cb)
  check('account', account, 'string')
  check('folder', folder, 'string')
  check('cb', cb, 'function')
  return run(account, cb, function(done)
    return require('himalaya.native').mail.count(account, folder, done)
  end)
end

--- A message's headers, its attachments, and a slice of its text.
---@param account string
---@param folder string
---@param id integer
---@param opts? himalaya.ReadOptions
---@param cb fun(err?: himalaya.Error, result?: himalaya.Message)
---@return himalaya.mail.Handle
function M.read(account, folder, id, opts, cb)
  check('account', account, 'string')
  check('folder', folder, 'string')
  arguments.whole('id', id, -arguments.LARGEST, arguments.LARGEST)
  check('opts', opts, { 'table', 'nil' })
  check('cb', cb, 'function')
  if opts then
    arguments.whole('opts.offset', opts.offset, 0, 2 ^ 30, true)
    arguments.whole('opts.max_bytes', opts.max_bytes, 4, 2 ^ 30, true)
    check('opts.mark_seen', opts.mark_seen, { 'boolean', 'nil' })
  end
  return run(account, cb, function(done)
    return require('himalaya.native').mail.read(account, folder, id, opts, function(err, result)
      if not err and opts and opts.mark_seen then
        M._changed(account)
      end
      done(err, result)
    end)
  end)
end

--- The id of the message that has this `key` in the folder, also in a store that was built anew; `not_found` when
--- there is none, never another message.
---@param account string
---@param folder string
---@param key string
---@param cb fun(err?: himalaya.Error, id?: integer)
---@return himalaya.mail.Handle
function M.find(account, folder, key, cb)
  check('account', account, 'string')
  check('folder', folder, 'string')
  check('key', key, 'string')
  check('cb', cb, 'function')
  return run(account, cb, function(done)
    return require('himalaya.native').mail.find(account, folder, key, done)
  end)
end

--- Something waits to be carried to the server.
---@param account string
function M._changed(account)
  home.count_pending(account)
  require('himalaya.sync.auto').after_action(account)
end

--- One action: checked here, done by native's function of that name.
---@param what string
---@param account string
---@param folder string
---@param ids integer|integer[]
---@param detail any
---@param cb fun(err?: himalaya.Error, result?: { op?: integer, ids: integer[] })
---@return himalaya.mail.Handle
local function act(what, account, folder, ids, detail, cb)
  local given = type(ids) == 'number' and { ids } or ids
  return run(account, cb, function(done)
    local function noted(err, result)
      if not err and result.op then
        table.insert(acted, { account = account, op = result.op, what = what })
        if #acted > KEPT_ACTIONS then
          table.remove(acted, 1)
        end
      end
      if not err then
        M._changed(account)
      end
      done(err, result)
    end
    local native = require('himalaya.native').mail[what]
    if detail == nil then
      return native(account, folder, given, noted)
    end
    return native(account, folder, given, detail, noted)
  end)
end

--- Whose action was the last one that has not been taken back.
---@return string?
local function last_account()
  for at = #acted, 1, -1 do
    if config.account(acted[at].account) then
      return acted[at].account
    end
  end
  return config.get().default_account
end

--- Forgets an action, as it was taken back.
---@param account string
---@param op integer
---@return string? what it was called here
local function take_back(account, op)
  for at = #acted, 1, -1 do
    if acted[at].account == account and acted[at].op == op then
      return table.remove(acted, at).what
    end
  end
end

--- Forgets all that was done in an account.
---@param account string
---@return boolean whether there was something
local function forget(account)
  local before = #acted
  acted = vim.tbl_filter(function(each)
    return each.account ~= account
  end, acted)
  return #acted < before
end

--- Adds and removes flags ('seen', 'flagged', 'answered', 'draft', 'forwarded') and keywords.
---@param account string
---@param folder string
---@param ids integer|integer[]
---@param change { add?: string[], remove?: string[] }
---@param cb fun(err?: himalaya.Error, result?: { op?: integer, ids: integer[] })
---@return himalaya.mail.Handle
function M.flag(account, folder, ids, change, cb)
  arguments.action(account, folder, ids, cb)
  check('change', change, 'table')
  arguments.words('change.add', change.add)
  arguments.words('change.remove', change.remove)
  return act('flag', account, folder, ids, change, cb)
end

---@param account string
---@param folder string
---@param ids integer|integer[]
---@param target string a folder's path
---@param cb fun(err?: himalaya.Error, result?: { op?: integer, ids: integer[] })
---@return himalaya.mail.Handle
function M.move(account, folder, ids, target, cb)
  arguments.action(account, folder, ids, cb)
  check('target', target, 'string')
  return act('move', account, folder, ids, target, cb)
end

---@param account string
---@param folder string
---@param ids integer|integer[]
---@param target string a folder's path
---@param cb fun(err?: himalaya.Error, result?: { op?: integer, ids: integer[] })
---@return himalaya.mail.Handle
function M.copy(account, folder, ids, target, cb)
  arguments.action(account, folder, ids, cb)
  check('target', target, 'string')
  return act('copy', account, folder, ids, target, cb)
end

--- To the trash; from the trash, for good (after ten seconds in which `undo` brings it back).
---@param account string
---@param folder string
---@param ids integer|integer[]
---@param cb fun(err?: himalaya.Error, result?: { op?: integer, ids: integer[] })
---@return himalaya.mail.Handle
function M.delete(account, folder, ids, cb)
  arguments.action(account, folder, ids, cb)
  return act('delete', account, folder, ids, nil, cb)
end

--- Takes back this Neovim's last action, or its last one in an account; the next call takes back the one before.
---@param opts? { account?: string }
---@param cb fun(err?: himalaya.Error, result?: { op: 'flag'|'move'|'copy'|'delete', ids: integer[] })
---@return himalaya.mail.Handle
function M.undo(opts, cb)
  check('opts', opts, { 'table', 'nil' })
  check('cb', cb, 'function')
  check('opts.account', opts and opts.account, { 'string', 'nil' })
  local account = opts and opts.account or last_account() or ''
  return run(account, cb, function(done)
    return require('himalaya.native').mail.undo(account, function(err, result)
      if not err then
        result = { op = take_back(account, result.number) or result.op, ids = result.ids }
      elseif err.code == 'not_found' and forget(account) and not (opts and opts.account) then
        return M.undo(opts, done) -- the server refused what was done there: what was done before it, elsewhere
      end
      if not err then
        M._changed(account)
      end
      done(err, result)
    end)
  end)
end

--- Writes an attachment to a new file, which must not be there yet.
---@param account string
---@param folder string
---@param id integer
---@param part string
---@param path string
---@param cb fun(err?: himalaya.Error, result?: { path: string, size: integer })
---@return himalaya.mail.Handle
function M.save_attachment(account, folder, id, part, path, cb)
  check('account', account, 'string')
  check('folder', folder, 'string')
  arguments.whole('id', id, -arguments.LARGEST, arguments.LARGEST)
  check('part', part, 'string')
  check('path', path, 'string')
  check('cb', cb, 'function')
  if path == '' or path:find('%z') then
    error('path: expected the path of a new file', 2)
  end
  local file = arguments.file_path(path)
  return run(account, cb, function(done)
    return require('himalaya.native').mail.save_attachment(account, folder, id, part, file, done)
  end)
end

---@param job integer
---@return boolean
local function cancel_job(job)
  return require('himalaya.native').jobs.cancel(job)
end

--- Writes a folder's messages, with their flags, into a file of mbox format or a Maildir, as a job that |:HimalayaJobs|
--- shows. Texts that are not on this machine are fetched first; `missing` counts those that could not be, `why` says
--- what stood in the way. What the file has already is `skipped`, so that it can be done again at any time. Nothing
--- unfinished stands under the file's name, however it ends.
---
--- `format` is 'maildir' where `path` is a folder or ends in a slash, else 'mbox'. An mbox is written as mboxrd: lines
--- that begin with "From " are quoted, and line ends are LF.
---@param account string
---@param folder string
---@param opts { path: string, format?: 'mbox'|'maildir', on_progress?: fun(passed: { done: integer, total?: integer,
---  share?: number }) }
---@param cb fun(err?: himalaya.Error, result?: { exported: integer, missing: integer, skipped: integer,
---  path: string, why?: string })
---@return himalaya.mail.Handle
function M.export(account, folder, opts, cb)
  check('account', account, 'string')
  check('folder', folder, 'string')
  check('opts', opts, 'table')
  check('opts.path', opts.path, 'string')
  check('opts.format', opts.format, { 'string', 'nil' })
  check('opts.on_progress', opts.on_progress, { 'function', 'nil' })
  check('cb', cb, 'function')
  if opts.path == '' or opts.path:find('%z') then
    error('opts.path: expected the path of a file or a folder', 2)
  end
  if opts.format and opts.format ~= 'mbox' and opts.format ~= 'maildir' then
    error("opts.format: expected 'mbox' or 'maildir'", 2)
  end
  local path, is_folder = arguments.file_path(opts.path)
  local wanted =
    { path = path, format = opts.format or (is_folder and 'maildir' or nil), on_progress = opts.on_progress }
  return run(account, cb, function(done)
    return require('himalaya.native').mail.export(account, folder, wanted, done)
  end, cancel_job)
end

--- Brings the messages of a file of mbox format, or of a Maildir, with their flags into a folder, and from there to the
--- server. What the folder has already (the same Message-ID and the same text) and what is empty is `skipped`; files
--- that cannot be read are `missing`. A job like |himalaya.mail.export()|; `undo` does not take it back.
---@param account string
---@param folder string
---@param path string
---@param opts? { on_progress?: fun(passed: { done: integer, total?: integer, share?: number }) }
---@param cb fun(err?: himalaya.Error, result?: { imported: integer, skipped: integer, missing: integer })
---@return himalaya.mail.Handle
function M.import(account, folder, path, opts, cb)
  check('account', account, 'string')
  check('folder', folder, 'string')
  check('path', path, 'string')
  check('opts', opts, { 'table', 'nil' })
  check('opts.on_progress', opts and opts.on_progress, { 'function', 'nil' })
  check('cb', cb, 'function')
  if path == '' or path:find('%z') then
    error('path: expected the path of a file or a folder', 2)
  end
  local from = arguments.file_path(path)
  return run(account, cb, function(done)
    return require('himalaya.native').mail.import(account, folder, from, opts, function(err, result)
      -- Also when it was ended half way: what came in is to be sent.
      M._changed(account)
      done(err, result)
    end)
  end, cancel_job)
end

return M
