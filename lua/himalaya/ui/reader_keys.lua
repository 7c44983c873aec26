-- What the keys of a message do, in the reader and in the preview.

local actions = require('himalaya.ui.actions')
local attachments = require('himalaya.ui.attachments')
local links = require('himalaya.ui.links')

local M = {}

-- Zero when there is none under the cursor.
---@return integer
local function fold_here()
  return vim.fn.foldlevel('.')
end

-- The fold under the cursor, else that of the headers.
---@param page himalaya.Page
local function toggle_fold(page)
  if fold_here() > 0 then
    vim.cmd('normal! za')
    return
  end
  for _, fold in ipairs(page.folds) do
    if fold.kind == 'headers' and fold.last > fold.first then
      local open = vim.fn.foldclosed(fold.first) == -1
      vim.cmd(('%d%s'):format(fold.first, open and 'foldclose' or 'foldopen'))
      return
    end
  end
end

--- What the reader and the preview have in common. `leave` ends looking at the message once it went.
---@param page himalaya.Page
---@param leave fun()
---@return table<string, fun()>
local function common(page, leave)
  local screen = require('himalaya.ui.screen')
  local function act(what, after, ...)
    local more = { ... }
    return function()
      local items = page:items()
      local arguments = { page.account, page.folder, items }
      vim.list_extend(arguments, more)
      table.insert(arguments, function()
        if after and vim.api.nvim_get_current_buf() == page.buffer then
          after()
        end
      end)
      actions[what](unpack(arguments))
      if page.step_past and (what == 'archive' or what == 'delete') then
        page:step_past(items)
      end
    end
  end
  return vim.tbl_extend(
    'force',
    screen.handlers(function()
      return page.account, page.folder
    end),
    {
      seen = act('toggle', nil, 'seen'),
      flagged = act('toggle', nil, 'flagged'),
      archive = act('archive', leave),
      delete = act('delete', leave),
      move = act('move', leave),
      copy = act('copy'),
      undo = function()
        actions.undo(page.account)
      end,
      save = function()
        attachments.choose(page, attachments.save)
      end,
      open = function()
        local link = links.here(page)
        if link then
          links.open(link)
        else
          attachments.choose(page, attachments.open)
        end
      end,
      links = function()
        links.choose(page)
      end,
      fold = function()
        toggle_fold(page)
      end,
    }
  )
end

-- What Enter does to what the cursor is on; true when it was something.
---@param page himalaya.Page
---@return boolean
local function enter(page)
  local part = page.parts[vim.fn.line('.')]
  if part then
    attachments.save(page, part)
    return true
  end
  local link = links.here(page)
  if link then
    links.open(link)
    return true
  elseif vim.fn.foldclosed('.') ~= -1 then
    vim.cmd('foldopen')
    return true
  end
  return false
end

---@param reader himalaya.Reader
---@return table<string, fun()>
function M.of(reader)
  local function back()
    reader:back()
  end
  return vim.tbl_extend('force', common(reader, back), {
    close = back,
    back = back,
    enter = function()
      enter(reader)
    end,
    next = function()
      reader:neighbour(vim.v.count1)
    end,
    previous = function()
      reader:neighbour(-vim.v.count1)
    end,
    preview = function()
      require('himalaya.ui.preview').toggle()
    end,
  })
end

---@param preview himalaya.Preview
---@return table<string, fun()>
function M.of_preview(preview)
  return vim.tbl_extend('force', common(preview, function() end), {
    close = function()
      preview:close()
    end,
    back = function()
      preview:focus_list()
    end,
    enter = function()
      if not enter(preview) then
        preview:open_whole()
      end
    end,
    next = function()
      preview:step(vim.v.count1)
    end,
    previous = function()
      preview:step(-vim.v.count1)
    end,
    preview = function()
      preview:close()
    end,
  })
end

return M
