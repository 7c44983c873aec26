-- The links of a message. They are opened by what vim.ui.open starts, and only those that a browser or a mail program
-- takes: what mail calls a link must not become a program's name or a file of this machine.

local notify = require('himalaya.notify')

local M = {}

local OPENED = { ['http:'] = true, ['https:'] = true, ['mailto:'] = true }

--- The link under the cursor, or the only one of its line.
---@param page himalaya.Page
---@return string?
function M.here(page)
  local cursor = vim.api.nvim_win_get_cursor(0)
  local links = page.links[cursor[1]]
  if not links then
    return nil
  end
  local line, from = vim.api.nvim_get_current_line(), 1
  for _, link in ipairs(links) do
    local first, last = line:find(link, from, true)
    if first and cursor[2] >= first - 1 and cursor[2] < last then
      return link
    end
    from = last and last + 1 or from
  end
  return #links == 1 and links[1] or nil
end

---@param link string
function M.open(link)
  local scheme = link:match('^%a+:') or ''
  if not OPENED[scheme:lower()] then
    return
  end
  local ok, _, problem = pcall(vim.ui.open, link)
  if not ok or problem then
    notify.error('The link could not be opened: ' .. tostring(problem or 'vim.ui.open failed') .. '.')
  else
    notify.action(('Opening %s'):format(link))
  end
end

--- Asks which of the message's links to open.
---@param page himalaya.Page
function M.choose(page)
  local all, seen = {}, {}
  local lines = vim.tbl_keys(page.links)
  table.sort(lines)
  for _, line in ipairs(lines) do
    for _, link in ipairs(page.links[line]) do
      if not seen[link] then
        seen[link] = true
        all[#all + 1] = link
      end
    end
  end
  require('himalaya.ui.picker').pick(all, { prompt = 'Open:', kind = 'link' }, M.open)
end

return M
