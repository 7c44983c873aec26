-- The names of our buffers: `himalaya://<account>/<folder>` for a folder and the same with `?m=<key>` for a message.
-- Everything but letters, digits and `._~-` is percent-encoded, `/` too, so a folder of any name is one part of the
-- path, and a name from a server can neither end the address early nor be taken for a file.
--
-- A buffer that bears one is `nowrite`: :mksession leaves out what is `nofile` or `acwrite`, and these must come back.

local M = {}

M.SCHEME = 'himalaya://'

---@class (exact) himalaya.Address
---@field account string
---@field folder? string nil: the account as a whole
---@field key? string of one message, as it survives a rebuild of the store

---@param s string
---@return string
local function escape(s)
  return (s:gsub('[^%w._~-]', function(c)
    return ('%%%02X'):format(c:byte())
  end))
end

---@param s string
---@return string? plain nil when it is no such encoding
local function unescape(s)
  if s:gsub('%%%x%x', ''):find('%', 1, true) then
    return nil
  end
  return (s:gsub('%%(%x%x)', function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

---@param account string
---@param folder? string
---@param key? string
---@return string
function M.encode(account, folder, key)
  local address = M.SCHEME .. account
  if folder then
    address = address .. '/' .. escape(folder)
  end
  if key then
    address = address .. '?m=' .. escape(key)
  end
  return address
end

--- Takes an address apart.
---@param name string
---@return himalaya.Address?
---@return string? problem one sentence
function M.decode(name)
  local rest = vim.startswith(name, M.SCHEME) and name:sub(#M.SCHEME + 1) or nil
  if not rest then
    return nil, 'This is no address of himalaya: it begins otherwise.'
  end
  local path, query = rest:match('^([^?]*)%?(.*)$')
  local account, folder = (path or rest):match('^([^/]*)/?([^/]*)$')
  if not account and (path or rest):find('^[%w_@-][%w._@-]*/') then
    return nil,
      'A `/` in the folder of this address must be written %2F; :Himalaya ACCOUNT/FOLDER takes it as it is.'
  end
  if not account or not account:find('^[%w_@-][%w._@-]*$') then
    return nil, 'This address names no account: write himalaya://ACCOUNT/FOLDER.'
  end
  local key
  if query then
    key = query:match('^m=(.+)$')
    key = key and unescape(key)
    if not key or folder == '' then
      return nil, 'This address names no message: write himalaya://ACCOUNT/FOLDER?m=KEY.'
    end
  end
  local plain = unescape(folder)
  if not plain or plain:find('%z') then
    return nil, 'The folder in this address is not percent-encoded as it should be.'
  end
  return { account = account, folder = plain ~= '' and plain or nil, key = key }
end

return M
