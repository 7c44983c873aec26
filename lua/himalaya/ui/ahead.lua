-- Who reads a message opens its neighbour in the list next. Where that text is not on this machine it is fetched behind
-- the one that is read, one at a time, with `performance.prefetch_enabled`.

local config = require('himalaya.config')

local M = {}

local wanted ---@type { account: string, folder: string, ids: integer[] }?
local busy = false

local function go_on()
  local id = wanted and table.remove(wanted.ids, 1)
  if not id or not require('himalaya.mail.home').is_open(wanted.account) then
    wanted = nil
    return
  end
  busy = true
  require('himalaya.native').mail.prefetch(wanted.account, wanted.folder, id, function(err)
    busy = false
    if err then
      wanted = nil -- who asks for it is told why it cannot be had
    end
    go_on()
  end)
end

--- A message was opened: its neighbours come next.
---@param list himalaya.List?
---@param id integer
function M.look(list, id)
  if not list or not config.get().performance.prefetch_enabled then
    return
  end
  local ids = {}
  for _, step in ipairs({ 1, -1 }) do -- most people go on reading below
    local other = list:neighbour(id, step)
    ids[#ids + 1] = other and other.id
  end
  wanted = { account = list.account, folder = list.folder, ids = ids }
  if not busy then
    go_on()
  end
end

return M
