-- What the keys of a message do.

local actions = require('himalaya.ui.actions')

local M = {}

---@param reader himalaya.Reader
---@return table<string, fun()>
function M.of(reader)
  local screen = require('himalaya.ui.screen')
  local function back()
    reader:back()
  end
  local function act(what, after, ...)
    local more = { ... }
    return function()
      local arguments = { reader.account, reader.folder, reader:items() }
      vim.list_extend(arguments, more)
      table.insert(arguments, function()
        if after and vim.api.nvim_get_current_buf() == reader.buffer then
          after()
        end
      end)
      actions[what](unpack(arguments))
    end
  end
  return vim.tbl_extend(
    'force',
    screen.handlers(function()
      return reader.account, reader.folder
    end),
    {
      close = back,
      back = back,
      next = function()
        reader:neighbour(vim.v.count1)
      end,
      previous = function()
        reader:neighbour(-vim.v.count1)
      end,
      seen = act('toggle', nil, 'seen'),
      flagged = act('toggle', nil, 'flagged'),
      archive = act('archive', back),
      delete = act('delete', back),
      move = act('move', back),
      copy = act('copy'),
      undo = function()
        actions.undo(reader.account)
      end,
      save = function()
        local part = reader.parts[vim.fn.line('.')]
        if part then
          actions.save_attachment(reader.account, reader.folder, reader.id, part)
        end
      end,
    }
  )
end

return M
