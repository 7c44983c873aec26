--- The IMAP client itself, for scripts and other plugins: a client is a pool of connections to one account.
---
--- ```lua
--- require('himalaya.imap').open({ host = 'mail.example.org', user = 'mary', auth = { env = 'PASSWORD' } },
---   function(err, client)
---     client:fetch('INBOX', '1:*', { 'flags', 'envelope' }, function(m) print(m.uid, m.envelope.subject) end,
---       function(err, result) client:close(function() end) end)
---   end)
--- ```

local check = require('himalaya.check')
local tell = require('himalaya.tell')

local M = {}

--- @class himalaya.imap.Handle
--- @field id integer
--- @field private _op integer
local Handle = {}
Handle.__index = Handle

--- Asks it to stop; the callback comes with `cancelled`.
--- @return boolean alive whether it was still under way
function Handle:cancel()
  return require('himalaya.native').imap.cancel(self._op)
end

--- cancel(), in the shape vim.async knows.
--- @param cb? fun()
function Handle:close(cb)
  self:cancel()
  if cb then
    require('himalaya.native').loop.complete(cb)
  end
end

--- @param op integer
--- @return himalaya.imap.Handle
local function handle(op)
  return setmetatable({ id = op, _op = op }, Handle)
end

--- @class himalaya.imap.WatchHandle
--- @field id integer
--- @field private _client himalaya.imap.Client
local WatchHandle = {}
WatchHandle.__index = WatchHandle

--- @return boolean alive
function WatchHandle:cancel()
  if self._done then
    return false
  end
  self._done = true
  require('himalaya.native').imap.unwatch(self._client._id, self.id)
  return true
end

--- @param cb? fun()
function WatchHandle:close(cb)
  self:cancel()
  if cb then
    require('himalaya.native').loop.complete(cb)
  end
end

--- @class himalaya.imap.Options
--- @field host string
--- @field port? integer             993, or 143 without implicit TLS
--- @field tls? 'implicit'|'starttls'|'none'
--- @field user string
--- @field auth { type?: 'password'|'oauth2', command?: string[], env?: string, value?: string }
--- @field ca_file? string           trust this CA, and only this
--- @field pool_size? integer        connections at most, 3
--- @field idle_timeout? number      seconds until an unused connection is given up, 300
--- @field network_timeout? number   seconds without progress, 30
--- @field bandwidth_limit? number   KiB/s for all connections together
--- @field compress? boolean         COMPRESS=DEFLATE: nil decides by itself
--- @field poll_interval? number     seconds between questions where the server has no push, 60
--- @field idle_renewal? number      seconds until IDLE is asked for anew, 1440
--- @field debug? boolean            the wire goes to :HimalayaLog, secrets blotted out

--- @class himalaya.imap.Message
--- @field uid integer
--- @field size? integer
--- @field flags? table              the server's names as a list, and seen = true and its like beside them
--- @field internaldate? number      seconds since 1970
--- @field modseq? number
--- @field envelope? himalaya.imap.Envelope
--- @field bodystructure? himalaya.imap.Part
--- @field body? string              the whole message
--- @field body_file? string         instead of `body`, or of the one part asked for, when that is over 256 KiB
--- @field body_size? integer        then
--- @field headers? string
--- @field parts? table<string, string>
--- @field preview? string

--- @class himalaya.imap.Envelope    subject and names are UTF-8, their encoded words decoded
--- @field date? string
--- @field subject? string
--- @field from? { name?: string, addr: string }[]
--- @field sender? { name?: string, addr: string }[]
--- @field reply_to? { name?: string, addr: string }[]
--- @field to? { name?: string, addr: string }[]
--- @field cc? { name?: string, addr: string }[]
--- @field bcc? { name?: string, addr: string }[]
--- @field in_reply_to? string
--- @field message_id? string

--- @class himalaya.imap.Part
--- @field type string
--- @field subtype string
--- @field part? string              its number for the item 'part:<number>'
--- @field parameters? table<string, string>
--- @field disposition? string
--- @field disposition_parameters? table<string, string>
--- @field encoding? string
--- @field size? integer
--- @field lines? integer
--- @field children? himalaya.imap.Part[]

--- @class himalaya.imap.Change
--- @field folder string
--- @field kind 'messages'|'expunged'|'flags'|'status'
--- @field exists? integer
--- @field uid? integer              of the message whose flags changed
--- @field flags? table
--- @field vanished? string          UIDs that are gone, where the server names them
--- @field uidnext? integer
--- @field highestmodseq? number
--- @field unseen? integer

--- @class himalaya.imap.Client
--- @field private _id integer
--- @field private _stats table?
local Client = {}
Client.__index = Client

--- Connects and logs in. `opts` may be an account's: `require('himalaya.config').account('home').imap`.
--- @param opts himalaya.imap.Options
--- @param cb fun(err?: himalaya.Error, client?: himalaya.imap.Client)
--- @return himalaya.imap.Handle
function M.open(opts, cb)
  check('opts', opts, 'table')
  check('cb', cb, 'function')
  if opts.debug == nil then
    local config = package.loaded['himalaya.config']
    local known = config and config.get and config.get()
    if known and known.notify and known.notify.debug then
      opts = vim.tbl_extend('force', opts, { debug = true })
    end
  end
  -- Out of an account's options the password comes locked away.
  if type(opts.auth) == 'table' and type(opts.auth.value) == 'function' then
    local value = require('himalaya.config.secret').reveal(opts.auth.value)
    opts = vim.tbl_extend('force', opts, { auth = vim.tbl_extend('force', opts.auth, { value = value }) })
  end
  return handle(require('himalaya.native').imap.open(opts, function(err, id)
    if err then
      return tell(cb, err)
    end
    tell(cb, nil, setmetatable({ _id = id }, Client))
  end))
end

--- The words of CAPABILITY after login: a list, and each word = true.
--- @param cb fun(err?: himalaya.Error, capabilities?: table)
--- @return himalaya.imap.Handle
function Client:capabilities(cb)
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.capabilities(self._id, cb))
end

--- @param pattern string '*', '%', 'INBOX.%'
--- @param opts? { status?: boolean }  or the callback
--- @param cb? fun(err?: himalaya.Error, folders?: table[])
--- @return himalaya.imap.Handle
function Client:list(pattern, opts, cb)
  if cb == nil then
    opts, cb = nil, opts --[[@as function]]
  end
  check('pattern', pattern, 'string')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.list(self._id, pattern, opts, cb))
end

--- @param folder string
--- @param cb fun(err?: himalaya.Error, status?: table)
--- @return himalaya.imap.Handle
function Client:status(folder, cb)
  check('folder', folder, 'string')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.status(self._id, folder, cb))
end

--- Messages come newest window first. While the caller is behind, nothing is read from the server.
--- @param folder string
--- @param uids string|integer|integer[] '1:*' or a list
--- @param items table list of 'flags' 'envelope' 'size' 'internaldate' 'bodystructure' 'body' 'preview' 'modseq'
---   'savedate' 'objectid' 'gmail' 'headers' 'header:<name>' 'part:<number>'; may have the fields changed_since and
---   priority ('user', 'ui', 'background')
--- @param on_message fun(m: himalaya.imap.Message)
--- @param cb fun(err?: himalaya.Error, result?: { messages: integer, uidvalidity: integer })
--- @return himalaya.imap.Handle
function Client:fetch(folder, uids, items, on_message, cb)
  check('folder', folder, 'string')
  check('items', items, 'table')
  check('on_message', on_message, 'function')
  check('cb', cb, 'function')
  local directory
  for _, item in ipairs(items) do
    if item == 'body' or item == 'headers' or (type(item) == 'string' and item:find('^part:')) then
      directory = directory or vim.fn.fnamemodify(vim.fn.tempname(), ':h')
    end
  end
  local finished = false
  local native = require('himalaya.native').imap
  return handle(native.fetch(self._id, folder, uids, items, directory, function(message)
    if message and not finished then
      tell(on_message, message)
    end
  end, function(err, result)
    finished = true
    tell(cb, err, result)
  end))
end

--- @param folder string
--- @param criteria string|table IMAP's own keys, or { unseen = true, from = 'mary', since = '1-Feb-2024' }
--- @param cb fun(err?: himalaya.Error, uids?: integer[])
--- @return himalaya.imap.Handle
function Client:search(folder, criteria, cb)
  check('folder', folder, 'string')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.search(self._id, folder, criteria, cb))
end

--- @param folder string
--- @param uids string|integer|integer[]
--- @param changes { add?: string[], remove?: string[], unchanged_since?: number, uidvalidity?: integer }
--- @param cb fun(err?: himalaya.Error, result?: { modified: integer[] })
--- @return himalaya.imap.Handle
function Client:store(folder, uids, changes, cb)
  check('folder', folder, 'string')
  check('changes', changes, 'table')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.store(self._id, folder, uids, changes, cb))
end

--- @param folder string
--- @param uids string|integer|integer[]
--- @param target string
--- @param cb fun(err?: himalaya.Error, result?: { uids: table<integer, integer>, uidvalidity?: integer })
--- @return himalaya.imap.Handle
function Client:copy(folder, uids, target, cb)
  check('folder', folder, 'string')
  check('target', target, 'string')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.copy(self._id, folder, uids, target, cb))
end

--- @param folder string
--- @param uids string|integer|integer[]
--- @param target string
--- @param cb fun(err?: himalaya.Error, result?: { uids: table<integer, integer>, uidvalidity?: integer,
---   expunged: boolean })
--- @return himalaya.imap.Handle
function Client:move(folder, uids, target, cb)
  check('folder', folder, 'string')
  check('target', target, 'string')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.move(self._id, folder, uids, target, cb))
end

--- Marks them as deleted and expunges them; others' marked messages stay.
--- @param folder string
--- @param uids string|integer|integer[]
--- @param cb fun(err?: himalaya.Error, result?: { expunged: boolean })
--- @return himalaya.imap.Handle
function Client:expunge(folder, uids, cb)
  check('folder', folder, 'string')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.expunge(self._id, folder, uids, cb))
end

--- @param folder string
--- @param message string|{ message: string, flags?: string[], date?: string }[]
--- @param opts? { flags?: string[], date?: string }
--- @param cb fun(err?: himalaya.Error, result?: { uid?: integer, uids: integer[], uidvalidity?: integer })
--- @return himalaya.imap.Handle
function Client:append(folder, message, opts, cb)
  check('folder', folder, 'string')
  if type(message) ~= 'table' then
    check('message', message, 'string')
  end
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.append(self._id, folder, message, opts, cb))
end

--- @param folder string
--- @param cb fun(err?: himalaya.Error)
--- @return himalaya.imap.Handle
function Client:create(folder, cb)
  check('folder', folder, 'string')
  check('cb', cb, 'function')
  return handle(require('himalaya.native').imap.create(self._id, folder, cb))
end

--- NOTIFY, IDLE or polling, whichever the server has; survives lost connections.
--- @param folder string
--- @param on_change fun(change: himalaya.imap.Change)
--- @return himalaya.imap.WatchHandle
function Client:watch(folder, on_change)
  check('folder', folder, 'string')
  check('on_change', on_change, 'function')
  local watch
  local id = require('himalaya.native').imap.watch(self._id, folder, function(change)
    if watch and not watch._done then
      tell(on_change, change)
    end
  end)
  watch = setmetatable({ id = id, _client = self }, WatchHandle)
  return watch
end

--- @return { connections: integer, connections_opened: integer, logins: integer, round_trips: integer,
---   bytes_in: integer, bytes_out: integer, mode: 'notify'|'idle'|'poll'|'none', limit: integer, note?: string }
function Client:stats()
  if self._stats then
    return self._stats
  end
  return require('himalaya.native').imap.stats(self._id)
end

--- Logs out and ends what is under way (its callbacks come with `cancelled`). Safe to call twice.
--- @param cb? fun(err?: himalaya.Error)
--- @return himalaya.imap.Handle
function Client:close(cb)
  if not self._stats then
    self._stats = require('himalaya.native').imap.stats(self._id)
    self._stats.connections = 0
  end
  return handle(require('himalaya.native').imap.close(self._id, cb or function() end))
end

return M
