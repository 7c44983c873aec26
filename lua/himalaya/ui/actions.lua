-- What is done to messages from the keys of a view. The store changes at once and the views hear of it from there;
-- what is said here is the outcome, and how to take it back.

local mail = require('himalaya.mail')
local notify = require('himalaya.notify')
local text = require('himalaya.ui.text')

local M = {}

---@param count integer
---@return string
local function messages(count)
  return count == 1 and '1 message' or ('%d messages'):format(count)
end

---@param folder string
---@return string
local function named(folder)
  return text.truncate(text.clean(folder), 40)
end

---@param items himalaya.Item[]
---@return integer[]
local function ids_of(items)
  return vim.tbl_map(function(item)
    return item.id
  end, items)
end

---@param said string what was done
---@param failed string what was not
---@param after? fun() when it was done
---@return fun(err: himalaya.Error?, result: table?)
local function tell(said, failed, after)
  return function(err)
    if err then
      if err.code ~= 'cancelled' then
        notify.report(err, failed)
      end
      return
    end
    notify.action(said)
    if after then
      after()
    end
  end
end

local UNDO = '; U takes it back.'

--- Gives all of them the flag, or takes it from all when every one has it.
---@param account string
---@param folder string
---@param items himalaya.Item[]
---@param flag 'seen'|'flagged'
---@param after? fun()
function M.toggle(account, folder, items, flag, after)
  if #items == 0 then
    return
  end
  local all = true
  for _, item in ipairs(items) do
    all = all and item.flags[flag]
  end
  local change = all and { remove = { flag } } or { add = { flag } }
  mail.flag(account, folder, ids_of(items), change, function(err)
    if err and err.code ~= 'cancelled' then
      notify.report(err, 'The flag could not be changed')
    elseif after then
      after()
    end
  end)
end

-- What lies in the trash goes for good, and not much later.
local FOR_GOOD = ' for good; U takes it back within ten seconds.'

---@param account string
---@param folder string
---@return boolean
local function is_trash(account, folder)
  for _, each in ipairs(require('himalaya.ui.sidebar').folders(account) or {}) do
    if each.path == folder then
      return each.role == 'trash'
    end
  end
  return false
end

---@param account string
---@param folder string
---@param items himalaya.Item[]
---@param after? fun()
function M.delete(account, folder, items, after)
  if #items > 0 then
    local said = ('Deleted %s%s'):format(messages(#items), is_trash(account, folder) and FOR_GOOD or UNDO)
    mail.delete(account, folder, ids_of(items), tell(said, 'Nothing was deleted', after))
  end
end

--- Calls `fn` with the folders of an account; a failure is told.
---@param account string
---@param fn fun(folders: himalaya.Folder[])
function M.with_folders(account, fn)
  mail.folders(account, function(err, folders)
    if err then
      notify.report(err, 'The folders are not known')
    else
      fn(folders)
    end
  end)
end

---@param account string
---@param folder string
---@param items himalaya.Item[]
---@param after? fun()
function M.archive(account, folder, items, after)
  if #items == 0 then
    return
  end
  local function move_from(folders)
    for _, each in ipairs(folders) do
      if each.role == 'archive' then
        local said = ('Archived %s%s'):format(messages(#items), UNDO)
        mail.move(account, folder, ids_of(items), each.path, tell(said, 'Nothing was archived', after))
        return
      end
    end
    notify.error(
      ('There is no folder for the archive; name it in `accounts.%s.folders.roles.archive`.'):format(account)
    )
  end
  -- Asked for first, it would be done after what the next key does: `U` would take back what was done before it.
  local known = require('himalaya.ui.sidebar').folders(account)
  if known then
    move_from(known)
  else
    M.with_folders(account, move_from)
  end
end

--- Asks for one of the account's folders.
---@param account string
---@param prompt string
---@param but? string the folder that is left out
---@param fn fun(folder: himalaya.Folder)
function M.pick_folder(account, prompt, but, fn)
  -- A picker may keep the user for as long as he likes, and no callback of ours waits inside of it.
  local ask = vim.schedule_wrap(function(folders)
    local choice = vim.tbl_filter(function(folder)
      return folder.selectable and folder.path ~= but
    end, folders)
    require('himalaya.ui.picker').pick(choice, {
      prompt = prompt,
      kind = 'folder',
      show = function(folder)
        return (folder.unread or 0) > 0 and ('%s (%d)'):format(folder.path, folder.unread) or folder.path
      end,
    }, fn)
  end)
  M.with_folders(account, ask)
end

---@param account string
---@param folder string
---@param items himalaya.Item[]
---@param after? fun()
function M.move(account, folder, items, after)
  if #items == 0 then
    return
  end
  M.pick_folder(account, ('Move %s to:'):format(messages(#items)), folder, function(target)
    local said = ('Moved %s to %s%s'):format(messages(#items), named(target.path), UNDO)
    mail.move(account, folder, ids_of(items), target.path, tell(said, 'Nothing was moved', after))
  end)
end

---@param account string
---@param folder string
---@param items himalaya.Item[]
---@param after? fun()
function M.copy(account, folder, items, after)
  if #items == 0 then
    return
  end
  M.pick_folder(account, ('Copy %s to:'):format(messages(#items)), folder, function(target)
    local said = ('Copied %s to %s%s'):format(messages(#items), named(target.path), UNDO)
    mail.copy(account, folder, ids_of(items), target.path, tell(said, 'Nothing was copied', after))
  end)
end

---@param account string
function M.undo(account)
  mail.undo({ account = account }, function(err, result)
    if err then
      if err.code ~= 'cancelled' then
        notify.report(err, 'Nothing was taken back')
      end
      return
    end
    local what = result.op == 'flag' and 'marking' or result.op == 'delete' and 'deletion' or result.op
    notify.action(('Took back: %s of %s.'):format(what, messages(#result.ids)))
  end)
end

return M
