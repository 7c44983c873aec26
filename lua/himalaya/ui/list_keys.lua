-- What the keys of a list do.

local actions = require('himalaya.ui.actions')

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
  local items = list:under_cursor()
  list:select(items, wanted)
  if #items == 1 then
    step(list)
  end
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
      local arguments = { list.account, list.folder, list:targets() }
      vim.list_extend(arguments, more)
      table.insert(arguments, function()
        if list:has_selection() then
          list:select_none()
        end
      end)
      actions[what](unpack(arguments))
    end
  end
  return vim.tbl_extend(
    'error',
    screen.handlers(function()
      return list.account, list.folder
    end),
    {
      open = function()
        local item = list:item_here()
        if item then
          require('himalaya.ui.reader').open(list.account, list.folder, item.id)
        end
      end,
      back = function()
        back(list)
      end,
      next_page = function()
        list:turn(list.page + vim.v.count1)
      end,
      previous_page = function()
        list:turn(
          math.max(1, list.page - vim.v.count1) ~= list.page and math.max(1, list.page - vim.v.count1) or 0
        )
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
