-- Scripts whose letters join are drawn wider or narrower by a terminal than Neovim counts them, and all that stands
-- behind on that row moves, a window beside it too. Behind the text of such a line a message has an anchor: one blank
-- cell after which Neovim tells the terminal anew where it is. It stands as far behind the text as that may reach, so
-- no letter is drawn over.
--
-- Drawn only: what is yanked is what was sent. A mark lives as long as one drawing, so ten megabytes cost what is seen.
-- Neovim before 0.11 counts letters one by one, as most terminals do, and has no anchor that cannot be seen.

local text = require('himalaya.ui.text')

local M = {}

local namespace = vim.api.nvim_create_namespace('himalaya.anchors')
local anchored = {} ---@type table<integer, boolean> by buffer
local width = 80 -- of the window that is being drawn

--- What is drawn behind a line; nil where nothing has to be, or no room is left for it.
---@param line string
---@param cells integer the window's
---@return string?
function M.behind(line, cells)
  if not text.drifts(line) then
    return nil
  end
  local taken = text.width(line)
  local room = cells - 1
  if taken <= cells then
    room = room - taken
  else
    -- Only its last row ends in front of a blank.
    local chars = vim.fn.strchars(line)
    line = vim.fn.strcharpart(line, chars - cells)
    taken = text.width(line)
  end
  local further = math.max(0, vim.fn.strchars(line) - taken)
  return room >= 0 and (' '):rep(math.min(further, room)) .. text.ANCHOR or nil
end

local function provide()
  vim.api.nvim_set_decoration_provider(namespace, {
    on_win = function(_, window, buffer)
      if not anchored[buffer] then
        return false
      end
      local info = vim.fn.getwininfo(window)[1]
      width = info and info.width - info.textoff or 80
    end,
    on_line = function(_, _, buffer, row)
      local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
      local behind = M.behind(line, width)
      if behind then
        vim.api.nvim_buf_set_extmark(buffer, namespace, row, #line, {
          virt_text = { { behind, '' } },
          virt_text_pos = 'overlay',
          hl_mode = 'combine',
          ephemeral = true,
        })
      end
    end,
  })
end

--- Anchors the lines of a buffer from now on.
---@param buffer integer
function M.attach(buffer)
  if vim.fn.has('nvim-0.11') == 0 then
    return
  end
  if next(anchored) == nil then
    provide()
  end
  anchored[buffer] = true
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buffer,
    once = true,
    desc = 'himalaya: no anchors any more',
    callback = function()
      anchored[buffer] = nil
    end,
  })
end

return M
