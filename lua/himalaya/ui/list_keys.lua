-- What the keys of a list do.

local actions = require('himalaya.ui.actions')
local notify = require('himalaya.notify')

local M = {}

---@param list himalaya.List
local function step(list)
  local line = vim.fn.line('.')
  if list.view.shown[line + 1] and list:item(list.view.shown[line + 1].key) then
    vim.api.nvim_win_set_cursor(0, { line + 1, 0 })
  end
end

---@param list himalaya.List
---@param wanted? boolean
local function select(list, wanted)
  local row, items = list.view:row(), list:under_cursor()
  -- A folded thread is turned round as one.
  list:select(items, wanted == nil and row and row.members and 'all' or wanted)
  if #items == 1 or (row and row.members and #items == #row.members) then
    step(list)
  end
end

-- In a list without pages their keys scroll.
---@param list himalaya.List
---@param key string
---@param turn fun()
---@return fun()
local function page(list, key, turn)
  return function()
    if list.endless then
      vim.cmd.normal({ (vim.v.count > 0 and vim.v.count or '') .. vim.keycode(key), bang = true })
    else
      turn()
    end
  end
end

---@param list himalaya.List
---@param how? 'split'|'vsplit'|'tab'
local function open(list, how)
  local item = list:item_here()
  if not item then
    return
  elseif not how then
    local preview = require('himalaya.ui.preview').of_tab()
    if preview then
      preview:focus()
    else
      require('himalaya.ui.reader').open(list.account, list.folder, item.id)
    end
    return
  end
  local made =
    pcall(vim.cmd, ({ split = 'belowright split', vsplit = 'belowright vsplit', tab = 'tab split' })[how])
  if not made then
    notify.action('There is no room for another window.')
    return
  end
  require('himalaya.ui.reader').open(list.account, list.folder, item.id)
end

-- Esc takes back one thing after the other: what is selected, the filter, then the way to the sidebar.
---@param list himalaya.List
local function back(list)
  if list:has_selection() then
    list:select_none()
  elseif list.query then
    list:filter(nil)
  else
    require('himalaya.ui.screen').focus_sidebar()
  end
end

---@param list himalaya.List
---@return table<string, fun()>
function M.of(list)
  local screen = require('himalaya.ui.screen')
  local function act(what, ...)
    local more = { ... }
    return function()
      local items = list:targets()
      local arguments = { list.account, list.folder, items }
      vim.list_extend(arguments, more)
      -- What was selected since then is for the next key.
      table.insert(arguments, function()
        if list:has_selection() then
          list:select(items, false)
        end
      end)
      actions[what](unpack(arguments))
      if what == 'archive' or what == 'delete' then
        list:step_past(items)
      end
    end
  end
  return vim.tbl_extend(
    'error',
    screen.handlers(function()
      return list.account, list.folder
    end),
    {
      open = function()
        open(list)
      end,
      open_split = function()
        open(list, 'split')
      end,
      open_vsplit = function()
        open(list, 'vsplit')
      end,
      open_tab = function()
        open(list, 'tab')
      end,
      preview = function()
        require('himalaya.ui.preview').toggle(list)
      end,
      back = function()
        back(list)
      end,
      next_page = page(list, '<C-d>', function()
        list:turn(list.page + vim.v.count1)
      end),
      previous_page = page(list, '<C-u>', function()
        list:turn(list.page > 1 and math.max(1, list.page - vim.v.count1) or 0)
      end),
      next_unread = function()
        list:go_to_unread(vim.v.count1)
      end,
      previous_unread = function()
        list:go_to_unread(-vim.v.count1)
      end,
      fold = function()
        list:toggle_fold()
      end,
      select_thread = function()
        list:select(list:thread_here(), 'all')
      end,
      toggle = function()
        select(list)
      end,
      select = function()
        select(list, true)
      end,
      deselect = function()
        select(list, false)
      end,
      seen = act('toggle', 'seen'),
      flagged = act('toggle', 'flagged'),
      archive = act('archive'),
      delete = act('delete'),
      move = act('move'),
      copy = act('copy'),
      undo = function()
        actions.undo(list.account)
      end,
      filter = function()
        vim.ui.input({ prompt = 'Filter: ', default = list.query or '' }, function(query)
          if query then
            list:filter(query)
          end
        end)
      end,
      threads = function()
        list:toggle_threads()
      end,
      refresh = function()
        list:fetch()
        require('himalaya.ui.sidebar').refresh()
      end,
    }
  )
end

return M
