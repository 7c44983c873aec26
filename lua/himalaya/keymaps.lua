-- Every key of every view, once: the maps, what g? shows and the help's chapter on keys come from this table.
-- Each action is a <Plug> map of its buffer; the key beside it is only a default. With `keymaps` a user gives an
-- action another key, a key another action or a function, or removes one (false).

local config = require('himalaya.config')
local nearest = require('himalaya.nearest')

local M = {}

---@class (exact) himalaya.Key
---@field key string
---@field action string
---@field desc string
---@field modes? string[] { 'n' } when absent

---@class (exact) himalaya.View
---@field name string
---@field title string
---@field keys himalaya.Key[]

local BOTH = { 'n', 'x' }

---@type himalaya.View[]
M.views = {
  {
    name = 'sidebar',
    title = 'Sidebar',
    keys = {
      { key = '<CR>', action = 'open', desc = 'Open the folder; open or close an account' },
      { key = '<Tab>', action = 'toggle', desc = 'Open or close the account or the folders below' },
      { key = '<Esc>', action = 'back', desc = 'Go to the list' },
      { key = 'q', action = 'close', desc = 'Close the screen' },
      { key = 'U', action = 'undo', desc = 'Take back the last action' },
      { key = 's', action = 'sync_inbox', desc = 'Sync the inbox of the account' },
      { key = 'S', action = 'sync_all', desc = 'Sync all folders of all accounts' },
      { key = 'i', action = 'sync_info', desc = 'Show what sync does' },
      { key = 'c', action = 'folder', desc = 'Choose a folder' },
      { key = 'A', action = 'account', desc = 'Choose an account' },
      { key = 'B', action = 'sidebar', desc = 'Show the sidebar, or hide it' },
      { key = 'F', action = 'refresh', desc = 'Read it again' },
      { key = '?', action = 'help', desc = 'Show these keys' },
      { key = 'gH', action = 'help', desc = 'Show these keys' },
      { key = 'g?', action = 'help', desc = 'Show these keys' },
    },
  },
  {
    name = 'list',
    title = 'List of a folder',
    keys = {
      { key = '<CR>', action = 'open', desc = 'Read the message; go to the preview where it is open' },
      {
        key = 'P',
        action = 'preview',
        desc = 'Show the message under the cursor beside the list, or no more',
      },
      { key = 'o', action = 'open_split', desc = 'Read it in a window below' },
      { key = 'gO', action = 'open_vsplit', desc = 'Read it in a window beside' },
      { key = 'O', action = 'open_tab', desc = 'Read it in a tab page of its own' },
      {
        key = '<Esc>',
        action = 'back',
        desc = 'Drop the selection, then the filter, then go to the sidebar',
      },
      { key = 'q', action = 'close', desc = 'Close the screen' },
      { key = '<C-d>', action = 'next_page', desc = 'Next page; scroll down where there are none' },
      { key = '<C-u>', action = 'previous_page', desc = 'Previous page; scroll up where there are none' },
      { key = ']]', action = 'next_unread', desc = 'Go to the next unread message' },
      { key = '[[', action = 'previous_unread', desc = 'Go to the previous unread message' },
      { key = '<Space>', action = 'toggle', desc = 'Select, or not any more', modes = BOTH },
      { key = 'n', action = 'select', desc = 'Select', modes = BOTH },
      { key = 'p', action = 'deselect', desc = 'Select no more', modes = BOTH },
      { key = 'u', action = 'seen', desc = 'Mark as read or unread', modes = BOTH },
      { key = '*', action = 'flagged', desc = 'Set or take away the star', modes = BOTH },
      { key = 'a', action = 'archive', desc = 'Move to the archive', modes = BOTH },
      { key = 'm', action = 'move', desc = 'Move to another folder', modes = BOTH },
      { key = 'C', action = 'copy', desc = 'Copy to another folder', modes = BOTH },
      { key = 'd', action = 'delete', desc = 'Delete', modes = BOTH },
      { key = 'U', action = 'undo', desc = 'Take back the last action' },
      {
        key = '/',
        action = 'filter',
        desc = 'Show only what matches: words, from: is:unread has:attachment',
      },
      { key = 'T', action = 'threads', desc = 'Show threads together, or each message by itself' },
      { key = '<Tab>', action = 'fold', desc = 'Fold the thread into one row, which stands for all of it' },
      { key = 't', action = 'select_thread', desc = 'Select the whole thread, or no more of it' },
      { key = 's', action = 'sync_inbox', desc = 'Sync the inbox of the account' },
      { key = 'S', action = 'sync_all', desc = 'Sync all folders of all accounts' },
      { key = 'i', action = 'sync_info', desc = 'Show what sync does' },
      { key = 'c', action = 'folder', desc = 'Choose a folder' },
      { key = 'A', action = 'account', desc = 'Choose an account' },
      { key = 'B', action = 'sidebar', desc = 'Show the sidebar, or hide it' },
      { key = 'F', action = 'refresh', desc = 'Read it again' },
      { key = '?', action = 'help', desc = 'Show these keys' },
      { key = 'gH', action = 'help', desc = 'Show these keys' },
      { key = 'g?', action = 'help', desc = 'Show these keys' },
    },
  },
  {
    name = 'message',
    title = 'Message',
    keys = {
      {
        key = '<CR>',
        action = 'enter',
        desc = 'Save the attachment, open the link or the fold here; from the preview, the whole message',
      },
      { key = 'W', action = 'save', desc = 'Save an attachment' },
      { key = 'o', action = 'open', desc = 'Open the link or the attachment in its program' },
      { key = 'gx', action = 'open', desc = 'Open the link or the attachment in its program' },
      { key = 'gl', action = 'links', desc = 'Choose a link of the message to open' },
      { key = '<Tab>', action = 'fold', desc = 'Open or close the quote or the headers' },
      { key = 'P', action = 'preview', desc = 'Show a preview beside the list, or no more' },
      { key = '<Esc>', action = 'back', desc = 'Go back to the list' },
      { key = 'q', action = 'close', desc = 'Go back to the list' },
      { key = ']]', action = 'next', desc = 'Read the next message' },
      { key = '[[', action = 'previous', desc = 'Read the previous message' },
      { key = 'u', action = 'seen', desc = 'Mark as read or unread' },
      { key = '*', action = 'flagged', desc = 'Set or take away the star' },
      { key = 'a', action = 'archive', desc = 'Move to the archive' },
      { key = 'm', action = 'move', desc = 'Move to another folder' },
      { key = 'C', action = 'copy', desc = 'Copy to another folder' },
      { key = 'd', action = 'delete', desc = 'Delete' },
      { key = 'U', action = 'undo', desc = 'Take back the last action' },
      { key = 's', action = 'sync_inbox', desc = 'Sync the inbox of the account' },
      { key = 'S', action = 'sync_all', desc = 'Sync all folders of all accounts' },
      { key = 'i', action = 'sync_info', desc = 'Show what sync does' },
      { key = 'c', action = 'folder', desc = 'Choose a folder' },
      { key = 'A', action = 'account', desc = 'Choose an account' },
      { key = 'B', action = 'sidebar', desc = 'Show the sidebar, or hide it' },
      { key = 'g?', action = 'help', desc = 'Show these keys' },
    },
  },
  {
    name = 'sync',
    title = 'Sync',
    keys = {
      { key = 'x', action = 'cancel', desc = 'Stop the sync' },
      { key = 'y', action = 'allow', desc = 'Delete here, too, what is missing on the server' },
      { key = 'q', action = 'close', desc = 'Close' },
      { key = '<Esc>', action = 'close', desc = 'Close' },
      { key = 'g?', action = 'help', desc = 'Show these keys' },
    },
  },
  {
    name = 'jobs',
    title = 'Jobs',
    keys = {
      { key = 'x', action = 'cancel', desc = 'Cancel the job under the cursor' },
      { key = 'q', action = 'close', desc = 'Close' },
      { key = '<Esc>', action = 'close', desc = 'Close' },
      { key = 'g?', action = 'help', desc = 'Show these keys' },
    },
  },
  {
    name = 'log',
    title = 'Log',
    keys = {
      { key = 'q', action = 'close', desc = 'Close' },
      { key = 'g?', action = 'help', desc = 'Show these keys' },
    },
  },
}

--- Maps that work everywhere; no key leads to them unless the user gives one.
---@type { plug: string, command: string, desc: string }[]
M.plugs = {
  { plug = '<Plug>(himalaya)', command = 'Himalaya', desc = 'Open the sidebar and the list' },
  { plug = '<Plug>(himalaya-sync-inbox)', command = 'HimalayaSyncInbox', desc = 'Sync the inboxes' },
  { plug = '<Plug>(himalaya-sync-full)', command = 'HimalayaSyncFull', desc = 'Sync everything' },
  { plug = '<Plug>(himalaya-sync-info)', command = 'HimalayaSyncInfo', desc = 'Show what sync does' },
  { plug = '<Plug>(himalaya-stats)', command = 'HimalayaStats', desc = 'Show the statistics' },
  { plug = '<Plug>(himalaya-jobs)', command = 'HimalayaJobs', desc = 'Show the jobs' },
  { plug = '<Plug>(himalaya-log)', command = 'HimalayaLog', desc = 'Show the log' },
}

local by_name = {} ---@type table<string, himalaya.View>
for _, view in ipairs(M.views) do
  by_name[view.name] = view
end

-- `<cr>` and `<CR>` are one key.
---@param key string
---@return string
local function canonical(key)
  return vim.fn.keytrans(vim.api.nvim_replace_termcodes(key, true, true, true))
end

---@param view himalaya.View
---@return string[]
local function actions(view)
  local list, seen = {}, {}
  for _, row in ipairs(view.keys) do
    if not seen[row.action] then
      seen[row.action] = true
      list[#list + 1] = row.action
    end
  end
  return list
end

--- Leaves out of `keymaps` what names no view or no action, and tells of it.
---@param keymaps table<string, table<string, string|false|fun()>>
---@param problem fun(path: string, message: string)
function M.check(keymaps, problem)
  for name, keys in pairs(keymaps) do
    local view = by_name[name]
    local path = 'keymaps.' .. name
    if not view then
      local near = nearest.of(name, vim.tbl_keys(by_name))
      problem(path, ('`%s` is not an option; the nearest is `keymaps.%s`.'):format(path, near))
      keymaps[name] = nil
    else
      local known = actions(view)
      for key, action in pairs(keys) do
        if type(action) == 'string' and not vim.list_contains(known, action) then
          local near = nearest.of(action, known)
          local at = ('%s["%s"]'):format(path, canonical(key))
          problem(at, ("`%s` names no action of that view; the nearest is '%s'."):format(at, near))
          keys[key] = nil
        end
      end
    end
  end
end

--- The keys of a view as they hold now, the user's changes included, in the table's order.
---@param name string
---@return { key: string, action: string|fun(), desc: string, modes: string[] }[]
function M.of(name)
  local view = by_name[name]
  local wishes, list = {}, {}
  for key, action in pairs(config.get().keymaps[name] or {}) do
    wishes[canonical(key)] = action
  end
  local function add(key, row)
    list[#list + 1] = { key = key, action = row.action, desc = row.desc, modes = row.modes or { 'n' } }
  end
  for _, row in ipairs(view.keys) do
    if wishes[canonical(row.key)] == nil then
      add(row.key, row)
    end
  end
  for key, action in vim.spairs(wishes) do
    if type(action) == 'function' then
      add(key, { action = action, desc = 'A map of yours' })
    elseif action then
      for _, row in ipairs(view.keys) do
        if row.action == action then
          add(key, row)
          break
        end
      end
    end
  end
  return list
end

---@param name string
---@param action string
---@return string
local function plug(name, action)
  return ('<Plug>(himalaya-%s-%s)'):format(name, action)
end

-- As vim.keymap.set does, which takes three times as long; a list has eighty of these.
---@param buffer integer
---@param modes string|string[]
---@param key string
---@param target string|fun()
---@param opts table of nvim_buf_set_keymap
local function map(buffer, modes, key, target, opts)
  local words = target
  if type(target) == 'function' then
    opts.callback, opts.noremap, words = target, true, ''
  end
  for _, mode in ipairs(type(modes) == 'table' and modes or { modes }) do
    vim.api.nvim_buf_set_keymap(buffer, mode, key, words --[[@as string]], opts)
  end
end

--- Maps the keys of a view in a buffer. `handlers` has a function for every action; `help` and what is missing in
--- `handlers` are left to this module.
---@param buffer integer
---@param name string
---@param handlers table<string, fun()>
function M.apply(buffer, name, handlers)
  local view = by_name[name]
  local all = vim.tbl_extend('keep', handlers, {
    help = function()
      require('himalaya.ui.help').open(name)
    end,
  })
  for _, row in ipairs(view.keys) do
    assert(all[row.action], row.action)
    map(buffer, row.modes or { 'n' }, plug(name, row.action), all[row.action], { desc = row.desc })
  end
  for _, row in ipairs(M.of(name)) do
    local target = type(row.action) == 'string' and plug(name, row.action --[[@as string]]) or row.action
    map(buffer, row.modes, row.key, target, { nowait = true, desc = row.desc })
  end
end

return M
