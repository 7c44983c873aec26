-- A list with threads folded: what of it is seen, and how a folded thread looks as one row. Messages of a thread
-- stand together, the first of them is what the thread is seen as.

local M = {}

---@class (exact) himalaya.ListEntry
---@field item himalaya.Item
---@field members? himalaya.Item[] of a folded thread, the item included

--- The entries of a list, from the top.
---@param items himalaya.Item[]
---@param folded fun(thread: integer): boolean
---@return himalaya.ListEntry[]
function M.entries(items, folded)
  local entries, at = {}, 1
  while at <= #items do
    local item = items[at]
    local last = at
    while item.thread and items[last + 1] and items[last + 1].thread == item.thread do
      last = last + 1
    end
    if last > at and folded(item.thread) then
      entries[#entries + 1] = { item = item, members = vim.list_slice(items, at, last) }
    else
      for i = at, last do
        entries[#entries + 1] = { item = items[i] }
      end
    end
    at = last + 1
  end
  return entries
end

--- A folded thread as one message: unread, starred or waiting when one of it is.
---@param members himalaya.Item[]
---@return himalaya.Item
function M.as_one(members)
  local one = setmetatable(
    { flags = setmetatable({}, { __index = members[1].flags }) },
    { __index = members[1] }
  )
  for _, item in ipairs(members) do
    one.flags.seen = one.flags.seen and item.flags.seen
    one.flags.flagged = one.flags.flagged or item.flags.flagged
    one.pending = one.pending or item.pending
    one.has_attachment = one.has_attachment or item.has_attachment
    one.date = math.max(one.date or 0, item.date or 0)
  end
  return one
end

return M
