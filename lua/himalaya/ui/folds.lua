-- What a closed fold of a message reads: how much of what it hides.

local M = {}

--- 'foldtext' of a message.
---@return string
function M.text()
  local first, last = vim.v.foldstart, vim.v.foldend
  local line = vim.fn.getline(first)
  local what = line:find('^[> ]*>') and 'quoted lines' or 'more headers'
  return ('▸ %d %s'):format(last - first + 1, what)
end

return M
