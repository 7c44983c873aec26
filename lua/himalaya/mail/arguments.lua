-- What himalaya.mail checks before anything else, so that what a caller did wrong is raised where he did it, whether or
-- not the account is open yet. native.mail checks again: these are for the message.

local M = {}

-- Numbers beyond are not whole any more.
M.LARGEST = 2 ^ 53

--- A whole number between two, or nothing where that is allowed.
---@param name string
---@param value any
---@param least integer
---@param most integer
---@param optional? boolean
function M.whole(name, value, least, most, optional)
  if value == nil and optional then
    return
  end
  if type(value) ~= 'number' or value ~= math.floor(value) or value < least or value > most then
    error(('%s: expected a whole number, %d to %d, got %s'):format(name, least, most, vim.inspect(value)), 3)
  end
end

--- `next` or `previous` of an earlier list.
---@param name string
---@param value any
function M.cursor(name, value)
  local arrived, id
  if type(value) == 'string' then
    arrived, id = value:match('^%-?(%d+)%.(%d+)$')
  end
  if value ~= nil and not (arrived and #arrived <= 18 and #id <= 18) then
    error(name .. ': expected `next` or `previous` of an earlier list', 3)
  end
end

--- What every action is given.
---@param account any
---@param folder any
---@param ids any
---@param cb any
function M.action(account, folder, ids, cb)
  local wrong = type(account) ~= 'string' and 'account: expected a string'
    or type(folder) ~= 'string' and 'folder: expected a string'
    or type(cb) ~= 'function' and 'cb: expected a function'
  if not wrong then
    ids = type(ids) == 'number' and { ids } or ids
    wrong = (type(ids) ~= 'table' or not vim.islist(ids)) and 'ids: expected an id or a list of ids'
    for at, id in ipairs(wrong and {} or ids) do
      local whole = type(id) == 'number' and id == math.floor(id) and math.abs(id) <= M.LARGEST
      wrong = wrong or (not whole and ('ids[%d]: expected an id, a whole number'):format(at))
    end
  end
  if wrong then
    error(wrong, 3)
  end
end

--- What a flag or a keyword may be called, as native.mail.flag has it.
---@param name string
---@param words any
function M.words(name, words)
  if words ~= nil and (type(words) ~= 'table' or not vim.islist(words)) then
    error(name .. ': expected a list of flags and keywords', 3)
  end
  for at, word in ipairs(words or {}) do
    if
      type(word) ~= 'string'
      or #word == 0
      or #word > 200
      or word:find('[^\33-\126]')
      or word:find('[(){%%*"\\%]]')
    then
      error(('%s[%d]: %s is neither a flag nor a keyword'):format(name, at, vim.inspect(word)), 3)
    end
  end
end

--- A path as people write it.
---@param path string
---@return string absolute
---@return boolean is_folder whether it was written as one
function M.file_path(path)
  local folder = path:sub(-1) == '/'
  if path == '~' or path:sub(1, 2) == '~/' then
    path = vim.uv.os_homedir() .. path:sub(2)
  elseif path:sub(1, 1) ~= '/' then
    path = vim.uv.cwd() .. '/' .. path
  end
  path = path:gsub('/+$', '')
  return path == '' and '/' or path, folder
end

return M
