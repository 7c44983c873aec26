-- The chapter of doc/himalaya.txt on functions, from what stands above them in the modules that users may require.

local functions = require('functions')
local layout = require('layout')

local M = {}

---@param module string
---@return string?
function M.source_of(module)
  local base = 'lua/' .. module:gsub('%.', '/')
  for _, path in ipairs({ base .. '.lua', base .. '/init.lua' }) do
    if vim.uv.fs_stat(path) then
      return path
    end
  end
end

local MODULES = {
  { 'himalaya' },
  { 'himalaya.config', only = { 'get', 'account' } },
  { 'himalaya.core.async_commands' },
  { 'himalaya.core.background_jobs' },
  { 'himalaya.core.smart_cache' },
  { 'himalaya.mail', classes = 'himalaya.mail.types' },
  { 'himalaya.sync.manager', classes = 'himalaya.sync.status' },
  { 'himalaya.sync.mbsync' },
  { 'himalaya.sync.coordinator' },
  { 'himalaya.sync.handoff' },
  { 'himalaya.sync.lock' },
  { 'himalaya.sync.oauth' },
  { 'himalaya.imap' },
}

local FUNCTIONS = [[
Every function that waits takes its callback last, `callback(err, result)`. It is called exactly once, on
the main loop, where everything of Neovim may be called, and never before the function has returned. The
function returns a handle: `handle.id`, `handle:cancel()` (true if it was still alive) and
`handle:close(callback)`. Functions without a callback answer from memory.

`err` is nil or a `himalaya.Error` (|himalaya-errors|). Arguments of the wrong kind raise at once with the
argument's name; everything else arrives as `err`.
]]

---@param module string
---@param row help.Function
---@return string
local function function_entry(module, row)
  local called = row.owner and row.owner .. ':' .. row.name or row.name
  local args = row.args:gsub('[%w_]+', '{%0}')
  local out = { layout.tagged(('%s(%s)'):format(called, args), ('%s.%s()'):format(module, called)) }
  for _, paragraph in ipairs(row.text) do
    if paragraph ~= '' then
      out[#out + 1] = layout.wrap(paragraph, 4)
    end
  end
  if #row.params > 0 then
    out[#out + 1] = '    Parameters: ~'
    vim.list_extend(out, layout.fields(row.params))
  end
  if #row.returns > 0 then
    out[#out + 1] = '    Returns: ~'
    for _, each in ipairs(row.returns) do
      out[#out + 1] = layout.wrap(('`%s` %s'):format(layout.spaced(each[1]), each[2]), 10, '      ')
    end
  end
  return table.concat(out, '\n') .. '\n'
end

local PUBLIC_CLASSES = {
  'himalaya.AccountState',
  'himalaya.Folder',
  'himalaya.ListOptions',
  'himalaya.Listing',
  'himalaya.Item',
  'himalaya.ReadOptions',
  'himalaya.Message',
  'himalaya.SyncResult',
  'himalaya.SyncStatus',
  'himalaya.JobOptions',
  'himalaya.JobResult',
  'himalaya.JobStatus',
  'himalaya.BatchCommand',
  'himalaya.BatchOutcome',
  'himalaya.imap.Options',
  'himalaya.imap.Message',
  'himalaya.imap.Envelope',
  'himalaya.imap.Part',
  'himalaya.imap.Change',
}

---@param path string
---@return string?
local function classes_of(path)
  local out = {}
  for _, class in ipairs(functions.classes(path, PUBLIC_CLASSES)) do
    out[#out + 1] = layout.tagged(class.name, class.name)
    vim.list_extend(out, layout.fields(class.fields))
    out[#out + 1] = ''
  end
  return #out > 0 and table.concat(out, '\n') or nil
end

---@return string[]
function M.chapter()
  local out = { layout.chapter('Functions', 'himalaya-functions'), layout.prose(FUNCTIONS) .. '\n' }
  for _, module in ipairs(MODULES) do
    local path = M.source_of(module[1])
    if path then
      out[#out + 1] = layout.tagged(("require('%s') ~"):format(module[1]), module[1] .. '-module') .. '\n'
      for _, row in ipairs(functions.of(path)) do
        if not module.only or vim.list_contains(module.only, row.name) then
          out[#out + 1] = function_entry(module[1], row)
        end
      end
      out[#out + 1] = classes_of(module.classes and M.source_of(module.classes) or path)
    end
  end
  return out
end

return M
