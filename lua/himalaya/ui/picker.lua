-- Choosing one of many: through vim.ui.select, which telescope, fzf-lua, snacks and mini.pick replace with their own.

local text = require('himalaya.ui.text')

local M = {}

---@class (exact) himalaya.PickOptions
---@field prompt string
---@field kind 'account'|'folder'|'attachment'|'link'
---@field show? fun(item: any): string

--- Asks for one of `items`; `callback` gets it, and is not called when nothing was chosen.
---@param items any[]
---@param opts himalaya.PickOptions
---@param callback fun(item: any)
function M.pick(items, opts, callback)
  if #items == 0 then
    require('himalaya.notify').action(('There is no %s to choose.'):format(opts.kind))
    return
  end
  local show = opts.show or tostring
  vim.ui.select(items, {
    prompt = opts.prompt,
    -- Pickers may prepare a view for things of a kind they know.
    kind = 'himalaya.' .. opts.kind,
    format_item = function(item)
      return text.clean(show(item))
    end,
  }, function(item)
    if item ~= nil then
      callback(item)
    end
  end)
end

return M
