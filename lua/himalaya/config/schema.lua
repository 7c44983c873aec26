-- Every option, once: its path, type, default, meaning, and the version it came with. Validation, the defaults
-- and the help's chapter on options are made from these rows and from nothing else.

local M = {}

---@type himalaya.config.Group[]
M.groups = {}
vim.list_extend(M.groups, require('himalaya.config.options.accounts'))
vim.list_extend(M.groups, require('himalaya.config.options.general'))

-- Options of parts that come with a later version: they are checked already, so that a configuration may have them.
local LATER = {
  { '^accounts%.%*%.maildir$', 'Maildirs and the himalaya program as sources' },
  { '^accounts%.%*%.mbsync', 'Maildirs and the himalaya program as sources' },
  { '^accounts%.%*%.himalaya', 'Maildirs and the himalaya program as sources' },
  { '^accounts%.%*%.imap%.auth%.provider', 'tokens from providers' },
  { '^accounts%.%*%.imap%.auth%.tenant$', 'tokens from providers' },
  { '^accounts%.%*%.imap%.auth%.client_', 'tokens from providers' },
  { '^binaries%.mbsync$', 'Maildirs and the himalaya program as sources' },
  { '^binaries%.curl$', 'tokens from providers' },
  { '^sync%.coordination%.', 'the file by which several Neovims choose their leader' },
  { '^sync_handoff%.', 'the handing over of syncs between programs' },
}

--- With what an option takes effect, where that is not there yet.
---@param option himalaya.config.Option
---@return string?
function M.later(option)
  for _, row in ipairs(LATER) do
    if option.path:find(row[1]) then
      return row[2]
    end
  end
end

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
