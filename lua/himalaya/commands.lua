-- Every command, once. plugin/himalaya.lua and the help's chapter on commands are written from this table by
-- scripts/docs; a command's module is loaded when the command is given.

local M = {}

---@class (exact) himalaya.Command
---@field name string
---@field nargs? string as in |:command-nargs|
---@field args? string how the help writes the arguments
---@field complete? fun(lead: string): string[]
---@field desc string
---@field module string
---@field call string the function of the module, called with what nvim_create_user_command gives

---@param lead string
---@return string[]
local function complete_account(lead)
  return require('himalaya.ui.commands').complete_account(lead)
end

---@type himalaya.Command[]
M.table = {
  {
    name = 'Himalaya',
    nargs = '?',
    args = '[account/][folder]',
    complete = function(lead)
      return require('himalaya.ui.screen').complete(lead)
    end,
    desc = 'Open the sidebar and the list of a folder; without arguments what was shown last, or the inbox. '
      .. 'A blank at the end of a name is written `\\ `, as completion does for all of them.',
    module = 'himalaya.ui.screen',
    call = 'open',
  },
  {
    name = 'HimalayaSyncInbox',
    nargs = '*',
    args = '[account] ...',
    complete = complete_account,
    desc = 'Sync the inboxes of these accounts, or of all.',
    module = 'himalaya.ui.commands',
    call = 'sync_inbox',
  },
  {
    name = 'HimalayaSyncFull',
    nargs = '*',
    args = '[account] ...',
    complete = complete_account,
    desc = 'Sync all folders of these accounts, or of all.',
    module = 'himalaya.ui.commands',
    call = 'sync_full',
  },
  {
    name = 'HimalayaCancelSync',
    desc = 'Stop every sync that runs or waits.',
    module = 'himalaya.ui.commands',
    call = 'cancel_sync',
  },
  {
    name = 'HimalayaSyncInfo',
    desc = 'Show what sync does, account by account, and what waits for an answer. `x` cancels, `y` says yes.',
    module = 'himalaya.ui.commands',
    call = 'sync_info',
  },
  {
    name = 'HimalayaAutoSyncToggle',
    desc = 'Stop syncing by itself, or start again.',
    module = 'himalaya.ui.commands',
    call = 'toggle_auto_sync',
  },
  {
    name = 'HimalayaAccounts',
    desc = 'Choose an account and show its inbox.',
    module = 'himalaya.ui.commands',
    call = 'accounts',
  },
  {
    name = 'HimalayaFolder',
    desc = 'Choose a folder of the account that is shown.',
    module = 'himalaya.ui.commands',
    call = 'choose_folder',
  },
  {
    name = 'HimalayaRefresh',
    desc = 'Read the lists and the sidebar again.',
    module = 'himalaya.ui.commands',
    call = 'refresh',
  },
  {
    name = 'HimalayaExport',
    nargs = '+',
    args = '[[account/]folder] {path}',
    complete = function(lead)
      return require('himalaya.ui.transfers').complete(lead)
    end,
    desc = 'Write a folder, or the one that is shown, into a file or a Maildir. It becomes a Maildir where the path '
      .. 'is a folder or ends in a slash, else a file of mbox format. What is there already is not written twice. A '
      .. 'blank in a name is written `\\ `.',
    module = 'himalaya.ui.transfers',
    call = 'export',
  },
  {
    name = 'HimalayaImport',
    nargs = '+',
    args = '{path} [[account/]folder]',
    complete = function(lead)
      return require('himalaya.ui.transfers').complete(lead)
    end,
    desc = 'Bring the messages of an mbox file or a Maildir into a folder, or the one that is shown. What the folder '
      .. 'has already is not brought twice.',
    module = 'himalaya.ui.transfers',
    call = 'import',
  },
  {
    name = 'HimalayaStats',
    desc = 'Show how long syncs took and what they cost, and what was counted since Neovim started. Among it '
      .. 'is where messages were found that were read, and how long jobs waited.',
    module = 'himalaya.ui.stats',
    call = 'open',
  },
  {
    name = 'HimalayaJobs',
    desc = 'Show what is queued, running and lately done, with waits and durations. `x` cancels.',
    module = 'himalaya.ui.jobs',
    call = 'open',
  },
  {
    name = 'HimalayaLog',
    desc = 'Show what happened lately; the view follows what is added.',
    module = 'himalaya.ui.log',
    call = 'open',
  },
}

---@type table<string, himalaya.Command>
local by_name = {}
for _, command in ipairs(M.table) do
  by_name[command.name] = command
end

--- What a command of plugin/himalaya.lua does.
---@param name string
---@param given table
function M.run(name, given)
  local command = by_name[name]
  local ok, err = pcall(function()
    require(command.module)[command.call](given)
  end)
  if not ok then
    local reason, places = tostring(err):gsub('^[^\n]-%.lua:%d+: ', '')
    -- One that was not raised as a sentence of its own needs to be told of what it is about.
    if places > 0 or reason:find('\n', 1, true) then
      reason = (':%s cannot go on: %s'):format(name, (reason:gsub('^himalaya: ', '')))
    end
    require('himalaya.notify').error(reason, { lines = true, asked = true })
  end
end

---@param name string
---@param lead string
---@return string[]
function M.complete(name, lead)
  local command = by_name[name]
  return command.complete and command.complete(lead) or {}
end

return M
