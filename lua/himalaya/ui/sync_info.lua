-- :HimalayaSyncInfo: the float that shows what a sync does while it does it, account by account, and can stop it.

local float = require('himalaya.ui.float')
local live = require('himalaya.ui.live')
local paint = require('himalaya.ui.paint')
local progress = require('himalaya.ui.progress')
local state = require('himalaya.core.state')

local M = {}

-- Room for what a running sync adds to what an idle one shows.
local WIDTH, MORE_LINES = 76, 5

local view ---@type { float: himalaya.Float, shown: himalaya.Row[], stop: fun() }?

---@return himalaya.Row[]
local function rows()
  local status = state.status()
  local all = progress.rows(status.sync, status.accounts, nil, progress.standings(status.accounts))
  local transfers = package.loaded['himalaya.ui.transfers']
  for _, line in ipairs(transfers and transfers.lines() or {}) do
    all[#all + 1] = { text = ' ' .. line, spans = {} }
  end
  if status.sync.cancellable then
    for _, key in ipairs(require('himalaya.keymaps').of('sync')) do
      if key.action == 'cancel' then
        vim.list_extend(all, { { text = '', spans = {} }, progress.key_row(key.key, 'stops it') })
        break
      end
    end
  end
  return all
end

local function refresh()
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
    close = close,
  })
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = opened.buffer, once = true, callback = close })
  refresh()
end

return M
