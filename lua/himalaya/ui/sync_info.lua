-- :HimalayaSyncInfo: the float that shows what a sync does while it does it, account by account, and can stop it; and
-- where the user answers when a server misses more messages than is believable.

local config = require('himalaya.config')
local float = require('himalaya.ui.float')
local home = require('himalaya.mail.home')
local live = require('himalaya.ui.live')
local notify = require('himalaya.notify')
local paint = require('himalaya.ui.paint')
local progress = require('himalaya.ui.progress')
local state = require('himalaya.core.state')
local text = require('himalaya.ui.text')

local M = {}

-- Room for what a running sync adds to what an idle one shows.
local WIDTH, MORE_LINES = 76, 9

---@class (exact) himalaya.Withheld
---@field account string
---@field folder string
---@field count integer

local withheld = {} ---@type himalaya.Withheld[] deletions that wait for the user's yes
local seen_sync ---@type integer?

local view ---@type { float: himalaya.Float, shown: himalaya.Row[], stop: fun() }?

---@param action string
---@return string
local function key_of(action)
  for _, key in ipairs(require('himalaya.keymaps').of('sync')) do
    if key.action == action then
      return key.key
    end
  end
  return '(no key)'
end

---@return himalaya.Row[]
local function rows()
  local status = state.status()
  local all = progress.rows(status.sync, status.accounts, nil, progress.standings(status.accounts))
  for _, each in ipairs(withheld) do
    local words = ('%s, %s: %d messages are missing on the server.'):format(
      text.clean(each.account),
      text.clean(each.folder),
      each.count
    )
    vim.list_extend(all, {
      { text = '', spans = {} },
      { text = ' ' .. words, spans = { { 1, 1 + #words, 'HimalayaSyncError' } } },
      { text = ' They stay here as long as you do not say otherwise.', spans = {} },
    })
  end
  if #withheld > 0 then
    all[#all + 1] = progress.key_row(key_of('allow'), 'deletes them here, too')
  end
  local transfers = package.loaded['himalaya.ui.transfers']
  for _, line in ipairs(transfers and transfers.lines() or {}) do
    all[#all + 1] = { text = ' ' .. line, spans = {} }
  end
  if status.sync.cancellable then
    vim.list_extend(all, { { text = '', spans = {} }, progress.key_row(key_of('cancel'), 'stops it') })
  end
  return all
end

local refresh

--- Asks the stores what waits for an answer; again after every sync.
local function look_for_withheld()
  local found, left = {}, 1
  local function done()
    left = left - 1
    if left == 0 then
      withheld = found
      refresh()
    end
  end
  for _, account in ipairs(config.account_names()) do
    left = left + 1
    home.with(account, function(err)
      if err then
        return done()
      end
      require('himalaya.native').mail.withheld(account, function(failure, folders)
        for _, each in ipairs(not failure and folders or {}) do
          table.insert(found, { account = account, folder = each.folder, count = each.count })
        end
        done()
      end)
    end)
  end
  done()
end

--- The user's yes: what waits leaves with the folder's next sync, which begins now.
---@param each himalaya.Withheld
local function allow(each)
  require('himalaya.native').mail.allow_deletions(each.account, each.folder, function(err)
    if err then
      return notify.report(err, 'Nothing was deleted')
    end
    local opts = { account = each.account, folder = each.folder, again = true }
    require('himalaya.sync.manager').start_sync('folder', opts, function(failure, result)
      if failure then
        return notify.report(failure, 'Nothing was deleted yet')
      end
      local gone = result.accounts[each.account].expunged
      notify.action(('%d messages of %s left.'):format(gone, text.clean(each.folder)))
      look_for_withheld()
    end)
  end)
end

local function choose_allowed()
  if #withheld == 0 then
    notify.action('No deletion waits for an answer.')
  elseif #withheld == 1 then
    allow(withheld[1])
  else
    vim.ui.select(withheld, {
      prompt = 'Delete here, too:',
      kind = 'himalaya-withheld',
      format_item = function(each)
        return ('%s, %s: %d messages'):format(each.account, text.clean(each.folder), each.count)
      end,
    }, function(each)
      if each then
        allow(each)
      end
    end)
  end
end

function refresh()
  local last = state.sync().last_sync
  if view and last ~= seen_sync then
    seen_sync = last
    look_for_withheld()
  end
  if view and vim.api.nvim_buf_is_valid(view.float.buffer) then
    local now = rows()
    paint.paint(view.float.buffer, view.shown, now)
    view.shown = now
  end
end

local function close()
  if view then
    local mine = view
    view = nil
    mine.stop()
    float.close(mine.float)
  end
end

function M.open()
  close()
  require('himalaya.ui.highlights').ready()
  require('himalaya.sync.manager')
  local room = { (' '):rep(WIDTH) }
  for _ = 1, #rows() + MORE_LINES do
    room[#room + 1] = ''
  end
  local opened = float.open(room, { title = 'Sync', filetype = 'himalaya-sync' })
  view = { float = opened, shown = {}, stop = live.listen({ sync = refresh }) }
  require('himalaya.keymaps').apply(opened.buffer, 'sync', {
    cancel = require('himalaya.ui.commands').cancel_sync,
    allow = choose_allowed,
    close = close,
  })
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = opened.buffer, once = true, callback = close })
  seen_sync = state.sync().last_sync
  look_for_withheld()
  refresh()
end

return M
