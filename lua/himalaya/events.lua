-- The User autocommands that others may listen to, each with a documented `data`. When a
-- listener raises, Neovim says so and goes on with the next.

local M = {}

---@class (exact) himalaya.Event
---@field name string
---@field desc string
---@field data { [1]: string, [2]: string, [3]: string }[] name, type, meaning

---@type himalaya.Event[]
M.table = {
  {
    name = 'HimalayaNewMail',
    desc = 'New messages are there to be read. Not sent for the first sync of a folder.',
    data = {
      { 'account', 'string', 'the account' },
      { 'folder', 'string', 'the folder' },
      { 'ids', 'integer[]', 'the messages, as `himalaya.mail` names them' },
      { 'count', 'integer', 'how many' },
    },
  },
  {
    name = 'HimalayaSyncStart',
    desc = 'A sync began.',
    data = {
      { 'kind', "'inbox'|'full'|'folder'", 'what is synced' },
      { 'accounts', 'string[]', 'whose' },
      { 'folder', 'string?', 'which, where it is one' },
    },
  },
  {
    name = 'HimalayaSynced',
    desc = 'A sync ended, for at least one account well.',
    data = {
      { 'kind', "'inbox'|'full'|'folder'", 'what was synced' },
      {
        'accounts',
        'table<string, table>',
        'by account what `start_sync` gives: new, updated, expunged, err',
      },
      { 'duration_ms', 'number', 'how long it took' },
    },
  },
  {
    name = 'HimalayaSyncFailed',
    desc = 'A sync ended, for every account badly.',
    data = {
      { 'kind', "'inbox'|'full'|'folder'", 'what should have been synced' },
      { 'accounts', 'string[]', 'whose' },
      { 'err', 'himalaya.Error', 'why' },
    },
  },
  {
    name = 'HimalayaSyncCancelled',
    desc = 'A sync was stopped by the user.',
    data = {
      { 'kind', "'inbox'|'full'|'folder'", 'what was being synced' },
      { 'accounts', 'string[]', 'whose' },
    },
  },
  {
    name = 'HimalayaRoleChanged',
    desc = 'Another one of several Neovims leads now.',
    data = { { 'role', "'primary'|'secondary'|'alone'", 'what this one is' } },
  },
}

local known = {}
for _, event in ipairs(M.table) do
  known[event.name] = event
end

---@param name string
---@param data table
local function send(name, data)
  require('himalaya.tell')(
    vim.api.nvim_exec_autocmds,
    'User',
    { pattern = name, data = data, modeline = false }
  )
end

--- Sends an event to whoever listens, on the main loop.
---@param name string
---@param data table
function M.emit(name, data)
  assert(known[name], name)
  if vim.in_fast_event() then
    vim.schedule(function()
      send(name, data)
    end)
  else
    send(name, data)
  end
end

return M
