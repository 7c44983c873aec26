-- What is selected in a list, and what an action is about: the methods of a list that know of it.

---@class himalaya.Selection
---@field view himalaya.ViewBuffer
---@field selected table<integer, boolean> by id
---@field selected_items table<integer, himalaya.Item>
---@field items himalaya.Item[]
---@field item fun(self: himalaya.Selection, id: any): himalaya.Item?
---@field paint fun(self: himalaya.Selection)
local Selection = {}

---@param id integer
function Selection:unselect(id)
  self.selected[id], self.selected_items[id] = nil, nil
end

--- The messages of a stretch of lines: the Visual range, which ends with this, or as many as the count says.
---@return himalaya.Item[]
function Selection:under_cursor()
  local first, last = vim.fn.line('.'), vim.fn.line('.') + vim.v.count1 - 1
  local mode = vim.fn.mode()
  if mode == 'v' or mode == 'V' or mode == '\22' then
    first, last = vim.fn.line('v'), vim.fn.line('.')
    vim.cmd('normal! \27')
  end
  local items = {}
  for _, row in ipairs(self.view:rows(first, last)) do
    -- A folded thread stands for all of its messages.
    for _, id in ipairs(row.members or { row.key }) do
      items[#items + 1] = self:item(id)
    end
  end
  return items
end

--- The messages of the thread under the cursor, as far as the list has them.
---@return himalaya.Item[]
function Selection:thread_here()
  local row = self.view:row()
  local item = row and self:item(row.key)
  return vim.tbl_filter(function(each)
    return each == item or (item ~= nil and item.thread ~= nil and each.thread == item.thread)
  end, item and self.items or {})
end

--- What an action is about: what is selected, else what is under the cursor.
---@return himalaya.Item[]
function Selection:targets()
  local visual = vim.fn.mode():find('[vV\22]') ~= nil
  if visual or next(self.selected_items) == nil then
    return self:under_cursor()
  end
  local items = vim.tbl_values(self.selected_items)
  table.sort(items, function(a, b)
    return a.id < b.id
  end)
  return items
end

--- Selects messages, or not; nil turns each round, 'all' turns them round together.
---@param items himalaya.Item[]
---@param wanted? boolean|'all'
function Selection:select(items, wanted)
  if wanted == 'all' then
    wanted = false
    for _, item in ipairs(items) do
      wanted = wanted or not self.selected[item.id]
    end
  end
  for _, item in ipairs(items) do
    local on = wanted
    if on == nil then
      on = not self.selected[item.id]
    end
    self.selected[item.id] = on or nil
    self.selected_items[item.id] = on and item or nil
  end
  self:paint()
end

function Selection:select_none()
  self.selected, self.selected_items = {}, {}
  self:paint()
end

---@return boolean
function Selection:has_selection()
  return next(self.selected) ~= nil
end

return Selection
