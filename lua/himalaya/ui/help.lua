-- What g? shows: the keys of the view it was typed in, as they are mapped now.

local M = {}

---@param view string
---@return string[]
function M.lines(view)
  local rows, order, widest = {}, {}, 0
  for _, row in ipairs(require('himalaya.keymaps').of(view)) do
    local name = type(row.action) == 'string' and row.action or row
    if not rows[name] then
      rows[name] = { keys = {}, desc = row.desc }
      order[#order + 1] = name
    end
    table.insert(rows[name].keys, row.key)
  end
  for _, name in ipairs(order) do
    widest = math.max(widest, #table.concat(rows[name].keys, ' '))
  end
  local lines = {}
  for _, name in ipairs(order) do
    local keys = table.concat(rows[name].keys, ' ')
    lines[#lines + 1] = (' %-' .. widest .. 's  %s'):format(keys, rows[name].desc)
  end
  return lines
end

---@param view string
function M.open(view)
  require('himalaya.ui.float').open(M.lines(view), { title = 'Keys', filetype = 'himalaya-help' })
end

return M
