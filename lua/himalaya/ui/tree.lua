-- The folders of an account as the sidebar has them: those with a role first, in the order one reads mail, then the
-- rest as a tree by name. A parent that is no folder itself is a row too, so that it can be closed.

local M = {}

---@class (exact) himalaya.TreeNode
---@field name string the last part, as it is shown
---@field path string
---@field depth integer from 0
---@field folder? table as `himalaya.mail.folders` gives it; nil for a parent that is none
---@field role? string
---@field unread? integer of a closed node: with all that is below it
---@field closed? boolean
---@field leaf boolean

local ROLES = { 'inbox', 'flagged', 'important', 'drafts', 'sent', 'archive', 'all', 'junk', 'trash' }
local RANK = {}
for rank, role in ipairs(ROLES) do
  RANK[role] = rank
end

local SEPARATOR = '/'

---@param folders table[]
---@return table[] with_role
---@return table[] others
local function part(folders)
  local with_role, others, taken = {}, {}, {}
  for _, folder in ipairs(folders) do
    local rank = RANK[folder.role]
    if rank and not taken[rank] then
      taken[rank] = folder
    else
      others[#others + 1] = folder
    end
  end
  for rank = 1, #ROLES do
    with_role[#with_role + 1] = taken[rank]
  end
  return with_role, others
end

---@param folders table[]
---@return table root { children = { [name] = node } }
local function grow(folders)
  local root = { children = {} }
  for _, folder in ipairs(folders) do
    local path, node, from = folder.path, root, 1
    repeat
      local first = path:find(SEPARATOR, from, true)
      local name = path:sub(from, first and first - 1)
      node.children[name] = node.children[name]
        or { name = name, sorted_by = name:lower(), path = path:sub(1, first and first - 1), children = {} }
      node = node.children[name]
      from = first and first + 1
    until not first
    node.folder = folder
  end
  return root
end

---@param node table
---@return integer?
local function unread_below(node)
  local sum = node.folder and node.folder.unread
  for _, child in pairs(node.children) do
    local more = unread_below(child)
    sum = more and (sum or 0) + more or sum
  end
  return sum
end

---@param children table<string, table>
---@return table[]
local function sorted(children)
  local list = vim.tbl_values(children)
  table.sort(list, function(a, b)
    if a.sorted_by ~= b.sorted_by then
      return a.sorted_by < b.sorted_by
    end
    return a.name < b.name
  end)
  return list
end

--- The rows of one account, from the top.
---@param folders table[] as `himalaya.mail.folders` gives them
---@param closed table<string, boolean> by path
---@return himalaya.TreeNode[]
function M.rows(folders, closed)
  local with_role, others = part(folders)
  local rows = {}
  for _, folder in ipairs(with_role) do
    rows[#rows + 1] = {
      name = folder.name or folder.path,
      path = folder.path,
      depth = 0,
      folder = folder,
      role = folder.role,
      unread = folder.unread,
      leaf = true,
    }
  end
  local function add(node, depth)
    local leaf = next(node.children) == nil
    local shut = not leaf and closed[node.path] or false
    rows[#rows + 1] = {
      name = node.name,
      path = node.path,
      depth = depth,
      folder = node.folder,
      unread = shut and unread_below(node) or (node.folder and node.folder.unread),
      closed = shut,
      leaf = leaf,
    }
    if not shut then
      for _, child in ipairs(sorted(node.children)) do
        add(child, depth + 1)
      end
    end
  end
  for _, child in ipairs(sorted(grow(others).children)) do
    add(child, 0)
  end
  return rows
end

return M
