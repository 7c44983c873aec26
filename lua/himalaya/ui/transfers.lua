-- :HimalayaExport and :HimalayaImport: mail out into files and in from them, with a progress message while they run
-- (where Neovim has those), a line in the sync float, and a sentence at the end.

local config = require('himalaya.config')
local notify = require('himalaya.notify')
local text = require('himalaya.ui.text')

local M = {}

---@class (exact) himalaya.Transfer
---@field title string
---@field done integer
---@field total? integer
---@field share? number
---@field message? any the progress message's id
---@field said? string
---@field said_at? number
---@field handle? himalaya.mail.Handle

-- Between two progress messages.
local PAUSE_MS = 200

local running = {} ---@type himalaya.Transfer[]

---@param count integer
---@param what string
---@return string
local function counted(count, what)
  return ('%d %s%s'):format(count, what, count == 1 and '' or 's')
end

---@param transfer himalaya.Transfer
---@return string
local function line(transfer)
  local words = transfer.title
  if transfer.total then
    return ('%s: %d of %s'):format(words, transfer.done, counted(transfer.total, 'message'))
  elseif transfer.done > 0 then
    return ('%s: %s'):format(words, counted(transfer.done, 'message'))
  end
  return words
end

--- What runs, a line each, for the float that shows what is under way.
---@return string[]
function M.lines()
  return vim.tbl_map(line, running)
end

---@param transfer himalaya.Transfer
---@param ended? 'success'|'failed'|'cancel'
local function echo(transfer, ended)
  if not require('himalaya.ui.progress').has_messages then
    return
  end
  local words = line(transfer)
  local now = vim.uv.hrtime() / 1e6
  if not ended and (words == transfer.said or now - (transfer.said_at or 0) < PAUSE_MS) then
    return
  end
  transfer.said, transfer.said_at = words, now
  transfer.message = vim.api.nvim_echo({ { words } }, false, {
    id = transfer.message,
    kind = 'progress',
    source = 'himalaya',
    title = 'himalaya',
    status = ended or 'running',
    percent = transfer.share and math.floor(transfer.share * 100) or nil,
  })
end

local function look()
  require('himalaya.sync.manager').notify_ui_update()
end

---@param title string
---@param start fun(transfer: himalaya.Transfer, on_progress: fun(passed: table)): himalaya.mail.Handle
local function begin(title, start)
  local transfer = { title = title, done = 0 } ---@type himalaya.Transfer
  transfer.handle = start(transfer, function(passed)
    transfer.done, transfer.total, transfer.share = passed.done, passed.total, passed.share
    echo(transfer)
    look()
  end)
  running[#running + 1] = transfer
  look()
end

---@param transfer himalaya.Transfer
---@param err himalaya.Error?
---@param doing string
---@return boolean good
local function over(transfer, err, doing)
  for at, each in ipairs(running) do
    if each == transfer then
      table.remove(running, at)
      break
    end
  end
  echo(transfer, err and (err.code == 'cancelled' and 'cancel' or 'failed') or 'success')
  look()
  if err and err.code == 'cancelled' then
    notify.action(doing .. ' was cancelled; what is done stays, and doing it again goes on from there.')
  elseif err then
    notify.report(err, doing .. ' ended early')
  end
  return err == nil
end

---@param words string?
---@return string account
---@return string folder
local function place(words)
  local screen = require('himalaya.ui.screen')
  local account, folder
  if words then
    account, folder = screen.parse(words)
    folder = folder or (account and screen.inbox(account))
  else
    account, folder = screen.here()
  end
  if not account or not folder then
    error('Name the folder: no list is shown.', 0)
  end
  return account, folder
end

--- Whether a first argument names a folder and not a path.
---@param given { fargs: string[] }
---@param at integer where the folder stands when there are two
---@return string? folder
---@return string path
local function arguments(given, at)
  local words = given.fargs
  if #words > 2 then
    error('Too many words; a blank in a name is written "\\ ".', 0)
  end
  if #words == 1 then
    return nil, words[1]
  end
  return words[at], words[3 - at]
end

--- :HimalayaExport
---@param given { fargs: string[] }
function M.export(given)
  local words, path = arguments(given, 1)
  local account, folder = place(words)
  begin(('Exporting %s/%s'):format(account, text.clean(folder)), function(transfer, on_progress)
    local opts = { path = path, on_progress = on_progress }
    return require('himalaya.mail').export(account, folder, opts, function(err, result)
      if not over(transfer, err, 'The export') then
        return
      end
      local there = result.skipped > 0 and (', %d were there already'):format(result.skipped) or ''
      local wrote = counted(result.exported, 'message')
      notify.action(('%s written to %s%s.'):format(wrote, text.clean(result.path), there))
      if result.missing > 0 then
        local why = result.why or 'Sync, then export again.'
        notify.warn(('The text of %s is not here. %s'):format(counted(result.missing, 'message'), why))
      end
    end)
  end)
end

--- :HimalayaImport
---@param given { fargs: string[] }
function M.import(given)
  local words, path = arguments(given, 2)
  local account, folder = place(words)
  local shown = ('%s/%s'):format(account, text.clean(folder))
  begin('Importing into ' .. shown, function(transfer, on_progress)
    local opts = { on_progress = on_progress }
    return require('himalaya.mail').import(account, folder, path, opts, function(err, result)
      if not over(transfer, err, 'The import') then
        return
      end
      local there = result.skipped > 0 and (', %d were there already'):format(result.skipped) or ''
      notify.action(('%s brought into %s%s.'):format(counted(result.imported, 'message'), shown, there))
      if result.missing > 0 then
        notify.warn(('%s could not be read.'):format(counted(result.missing, 'file')))
      end
    end)
  end)
end

--- Folders and files.
---@param lead string
---@return string[]
function M.complete(lead)
  local words = {}
  if #config.account_names() > 0 and not lead:find('^[~./]') then
    for _, word in ipairs(require('himalaya.ui.screen').complete((lead:gsub('\\ ', ' ')))) do
      words[#words + 1] = (word:gsub(' ', '\\ '))
    end
  end
  return vim.list_extend(words, vim.fn.getcompletion(lead, 'file'))
end

return M
