-- Every option, once: its path, type, default, meaning, and the version it came with. Validation, the defaults
-- and the help's chapter on options are made from these rows and from nothing else.

local M = {}

---@type himalaya.config.Group[]
M.groups = {}
vim.list_extend(M.groups, require('himalaya.config.options.accounts'))
vim.list_extend(M.groups, require('himalaya.config.options.general'))

--- Every option in the order of the help.
---@return himalaya.config.Option[]
function M.options()
  local all = {}
  for _, group in ipairs(M.groups) do
    for _, option in ipairs(group.options) do
      all[#all + 1] = option
    end
  end
  return all
end

return M
