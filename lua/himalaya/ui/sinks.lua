-- Where a running sync is shown outside of our own views: fidget where that is installed, Neovim's progress messages
-- from 0.12 on, else a line of our own in the corner. Each is `show(words, percent)`, as often as its caller likes,
-- then once `finish(words, failed)`.

local sparkline = require('himalaya.ui.sparkline')
local text = require('himalaya.ui.text')

local M = {}

local TITLE = 'Mail'
local BAR = 12
-- How long the end is seen in the corner.
local STAYS_MS = 3000

---@class (exact) himalaya.ProgressSink
---@field name 'fidget'|'message'|'corner'
---@field show fun(words: string, percent: integer?)
---@field finish fun(words: string, failed: boolean)

---@return himalaya.ProgressSink?
local function fidget()
  local found, progress = pcall(require, 'fidget.progress')
  if not found or type(progress) ~= 'table' or not progress.handle then
    return nil
  end
  local handle
  return {
    name = 'fidget',
    show = function(words, percent)
      if handle then
        handle:report({ message = words, percentage = percent })
      else
        handle = progress.handle.create({
          title = TITLE,
          message = words,
          percentage = percent,
          lsp_client = { name = 'himalaya' },
        })
      end
    end,
    finish = function(words, failed)
      if handle then
        handle:report({ message = words })
        handle[failed and 'cancel' or 'finish'](handle)
      end
    end,
  }
end

-- A message of more than one line would stop the user at a prompt.
---@param words string
---@return string
local function for_one_line(words)
  return text.truncate(words, math.max(8, vim.v.echospace - #TITLE - #': 100% '))
end

---@return himalaya.ProgressSink?
local function message()
  -- Before 0.12 the kind is an error.
  if vim.fn.has('nvim-0.12') == 0 then
    return nil
  end
  local id
  local function echo(words, status, percent)
    id = vim.api.nvim_echo({ { for_one_line(words) } }, false, {
      id = id,
      kind = 'progress',
      source = 'himalaya',
      title = TITLE,
      status = status,
      percent = percent,
    })
  end
  return {
    name = 'message',
    show = function(words, percent)
      echo(words, 'running', percent)
    end,
    finish = function(words, failed)
      if id then
        echo(words, failed and 'failed' or 'success', not failed and 100 or nil)
      end
    end,
  }
end

local leave_corner ---@type fun()? what stands there still

---@return himalaya.ProgressSink
local function corner()
  local buffer, window
  local namespace = vim.api.nvim_create_namespace('himalaya.corner')
  local function close()
    if window and vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_close(window, true)
    end
    window = nil
  end
  if leave_corner then
    leave_corner()
  end
  leave_corner = close
  local function draw(words, percent, group)
    local done, left = '', ''
    if percent then
      done, left = sparkline.bar(percent / 100, BAR)
    end
    local after = percent and (' %3d%% '):format(percent) or ''
    local line = ' ' .. done .. left .. after .. text.truncate(words, 50) .. ' '
    local place = {
      relative = 'editor',
      anchor = 'SE',
      row = vim.o.lines - vim.o.cmdheight - 1,
      col = vim.o.columns,
      width = math.max(1, math.min(vim.api.nvim_strwidth(line), vim.o.columns)),
      height = 1,
    }
    if not (buffer and vim.api.nvim_buf_is_valid(buffer)) then
      buffer = vim.api.nvim_create_buf(false, true)
      vim.bo[buffer].bufhidden = 'wipe'
    end
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { line })
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
    local function colour(from, to, name)
      if to > from then
        vim.api.nvim_buf_set_extmark(buffer, namespace, 0, from, { end_col = to, hl_group = name })
      end
    end
    colour(1, 1 + #done, 'HimalayaBarDone')
    colour(1 + #done, 1 + #done + #left, 'HimalayaBarLeft')
    colour(1 + #done + #left + #after, #line, group)
    if window and vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_set_config(window, place)
    else
      place.style, place.focusable, place.noautocmd, place.zindex = 'minimal', false, true, 30
      window = vim.api.nvim_open_win(buffer, false, place)
    end
  end
  return {
    name = 'corner',
    show = function(words, percent)
      draw(words, percent, 'HimalayaSync')
    end,
    finish = function(words, failed)
      draw(words, nil, failed and 'HimalayaSyncError' or 'HimalayaSyncDone')
      vim.defer_fn(close, STAYS_MS)
    end,
  }
end

--- The one for a sync that begins.
---@return himalaya.ProgressSink
function M.choose()
  return fidget() or message() or corner()
end

return M
