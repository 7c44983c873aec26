-- The sidebar as rows: each account with what its sync does, below it its folders with their unread counts at the
-- right edge. Closed accounts and parents keep the sum of what they hide.

local text = require('himalaya.ui.text')
local tree = require('himalaya.ui.tree')

local M = {}

---@class (exact) himalaya.SidebarAccount
---@field name string
---@field state himalaya.AccountState
---@field folders? table[] as `himalaya.mail.folders` gives them; nil as long as nobody knows

---@class (exact) himalaya.SidebarHow
---@field width integer
---@field closed table<string, boolean> accounts by name, folders by `name/path`
---@field current? { account: string, folder: string }
---@field made? himalaya.SidebarMade the folders' rows made before, by key

---@class (exact) himalaya.SidebarKept
---@field left string
---@field group string
---@field right string
---@field width integer
---@field row himalaya.SidebarRow

---@alias himalaya.SidebarMade table<string, himalaya.SidebarKept>

---@class himalaya.SidebarRow: himalaya.PaintedRow
---@field account string
---@field node? himalaya.TreeNode

-- One cell for what an account does.
local SIGNS = {
  syncing = { '⟳', 'HimalayaSync' },
  cancelling = { '⟳', 'HimalayaSync' },
  queued = { '⟳', 'HimalayaHeader' },
  external = { '=', 'HimalayaSync' },
}

local INDENTS = setmetatable({}, {
  __index = function(all, depth)
    all[depth] = ('  '):rep(depth + 1)
    return all[depth]
  end,
})

---@param left string
---@param group string?
---@param right string
---@param right_group string?
---@param width integer
---@return himalaya.Row
local function line_of(left, group, right, right_group, width)
  local room = right == '' and width or width - text.width(right) - 1
  room = math.max(1, room)
  local drifts = text.drifts(left)
  if drifts then
    -- The list stands behind: what is drawn wider than it is counted must end before it.
    left = text.bound(left, room - 1, room - 1) .. text.ANCHOR
  end
  left = text.truncate(left, room)
  local fitted = right == '' and left or text.fit(left, room) .. ' ' .. right
  local spans = {}
  if group then
    spans[1] = { 0, #left, group }
  end
  if right ~= '' and right_group then
    spans[#spans + 1] = { #fitted - #right, #fitted, right_group }
  end
  return { text = fitted, spans = spans }
end

---@param account himalaya.SidebarAccount
---@param how himalaya.SidebarHow
---@return himalaya.SidebarRow
local function account_row(account, how)
  local state = account.state
  local sign = state.error and { '!', 'HimalayaSyncError' } or SIGNS[state.state]
  local unread = (state.unread or 0) > 0 and tostring(state.unread) or ''
  local right = sign and vim.trim(unread .. ' ' .. sign[1]) or unread
  local left = (how.closed[account.name] and '▸ ' or '▾ ') .. account.name
  local row = line_of(left, 'HimalayaAccount', right, sign and sign[2] or 'HimalayaCount', how.width) --[[@as table]]
  row.key = account.name
  row.account = account.name
  return row
end

---@param account himalaya.SidebarAccount
---@param node himalaya.TreeNode
---@param how himalaya.SidebarHow
---@param made himalaya.SidebarMade is filled
---@return himalaya.SidebarRow
local function folder_row(account, node, how, made)
  local fold = node.leaf and '  ' or (node.closed and '▸ ' or '▾ ')
  -- Deep trees keep some of their names on the screen.
  local indent = math.min(node.depth, math.floor(how.width / 6))
  local is_current = how.current and how.current.account == account.name and how.current.folder == node.path
  local group = is_current and 'HimalayaFolderCurrent'
    or (node.role and 'HimalayaFolderRole')
    or (node.folder and 'HimalayaFolder' or 'HimalayaThread')
  local right = (node.unread or 0) > 0 and tostring(node.unread) or ''
  local key = account.name .. '/' .. node.path
  local left = INDENTS[indent] .. fold .. node.name
  -- A thousand folders are measured once, not with each count that changes.
  local kept = how.made and how.made[key]
  local same = kept
    and kept.left == left
    and kept.group == group
    and kept.right == right
    and kept.width == how.width
  if not kept or not same then
    local shown = INDENTS[indent] .. fold .. text.clean(node.name)
    local row = line_of(shown, group, right, 'HimalayaCount', how.width) --[[@as table]]
    row.key = key
    row.account = account.name
    kept = { left = left, group = group, right = right, width = how.width, row = row }
  end
  made[key] = kept
  kept.row.node = node
  return kept.row
end

---@param name string
---@param closed table<string, boolean>
---@return table<string, boolean>
local function closed_of(name, closed)
  return setmetatable({}, {
    __index = function(_, path)
      return closed[name .. '/' .. path]
    end,
  })
end

--- All rows, in the order of `accounts`.
---@param accounts himalaya.SidebarAccount[]
---@param how himalaya.SidebarHow
---@return himalaya.SidebarRow[]
---@return himalaya.SidebarMade
function M.of(accounts, how)
  local rows, made = {}, {}
  for _, account in ipairs(accounts) do
    rows[#rows + 1] = account_row(account, how)
    if not how.closed[account.name] then
      for _, node in ipairs(tree.rows(account.folders or {}, closed_of(account.name, how.closed))) do
        rows[#rows + 1] = folder_row(account, node, how, made)
      end
    end
  end
  if #rows == 0 then
    rows[1] = { key = 0, text = text.truncate('No accounts; :help himalaya-setup', how.width), spans = {} }
  end
  return rows, made
end

return M
