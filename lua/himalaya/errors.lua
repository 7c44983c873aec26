-- What a callback gets as `err`, and every code it may carry. The module's C++ has the same list in base/error.hpp.

local M = {}

---@class (exact) himalaya.Error
---@field code string for programs, see |himalaya-errors|
---@field message string one sentence for a person; also what tostring() gives
---@field hint? string what that person does next
---@field retryable boolean whether it may pass by itself
---@field detail? any what else there is to know

---@type { [1]: string, [2]: string, retryable?: boolean }[]
M.codes = {
  { 'timeout', 'No answer in the time given.', retryable = true },
  { 'cancelled', 'Somebody asked for it to stop.' },
  { 'auth', 'The server did not take the name or the secret.' },
  { 'offline', 'No network, no route, no such host.', retryable = true },
  { 'tls', 'The certificate or the handshake was not right.' },
  { 'throttled', 'The server asks to come back later.', retryable = true },
  { 'locked', 'Another process has it.', retryable = true },
  { 'busy', 'Too much is under way already.', retryable = true },
  { 'protocol', 'The server said what cannot be understood.' },
  { 'uidvalidity', 'The folder was made anew on the server.' },
  { 'exit', 'A program ended with something else than 0; `detail` is its result.' },
  { 'not_found', 'No such message, folder, account or program.' },
  { 'invalid', 'Data from outside that makes no sense.' },
  { 'config', 'The options do not allow it.' },
  { 'store', 'The database, or the disk under it.' },
  { 'unsupported', 'This server or source cannot do it.' },
  { 'internal', 'A bug of ours.' },
}

local retryable = {}
for _, row in ipairs(M.codes) do
  retryable[row[1]] = row.retryable or false
end

local Error = {
  __tostring = function(self)
    return self.message
  end,
}

---@param code string
---@param message string
---@param hint? string
---@param detail? any
---@return himalaya.Error
function M.new(code, message, hint, detail)
  assert(retryable[code] ~= nil, code)
  return setmetatable({
    code = code,
    message = message,
    hint = hint,
    retryable = retryable[code],
    detail = detail,
  }, Error)
end

-- A word that is a name, `imap.example.org` or `w3m`, keeps its spelling.
---@param words any
---@param capital boolean
---@return string
local function as_sentence(words, capital)
  words = vim.trim(tostring(words or ''):gsub('[%c\127]+', ' '))
  if words == '' then
    return ''
  end
  if capital and words:find('^%l+[ ,;:]') then
    words = words:sub(1, 1):upper() .. words:sub(2)
  end
  return (words:find('[.!?:]$') or vim.endswith(words, '…')) and words or words .. '.'
end

--- An error as it is shown, everywhere: its message and what to do next as whole sentences, behind `doing`, what
--- failed, where that is given.
---@param err table
---@param doing? string "The folder could not be opened"
---@return string
function M.sentence(err, doing)
  local text = as_sentence(err.message or err, doing == nil)
  if doing then
    text = doing .. ': ' .. text
  end
  return vim.trim(text .. ' ' .. as_sentence(err.hint, true))
end

--- Gives a table that came from elsewhere its tostring().
---@param err table
---@return himalaya.Error
function M.from(err)
  return setmetatable(err, Error)
end

return M
