-- plugin/himalaya.lua: what Neovim reads at every start. It names commands and <Plug> maps and loads nothing; the
-- table in lua/himalaya/commands.lua has the rest.

local M = {}

local HEAD = [[
-- Written by scripts/docs from lua/himalaya/commands.lua and keymaps.lua. Read at every start, so it only names
-- things: what they do is loaded when they are used.

if vim.g.loaded_himalaya then
  return
end
vim.g.loaded_himalaya = true

---@param name string
---@param nargs string|integer
---@param desc string
---@param completes? boolean
local function command(name, nargs, desc, completes)
  vim.api.nvim_create_user_command(name, function(given)
    require('himalaya.commands').run(name, given)
  end, {
    nargs = nargs,
    desc = desc,
    complete = completes and function(lead)
      return require('himalaya.commands').complete(name, lead)
    end or nil,
  })
end

]]

---@param text string
local function quoted(text)
  return "'" .. text:gsub("['\\]", '\\%0') .. "'"
end

---@param text string
local function first_sentence(text)
  return (text:match('^[^.;]+') or text)
end

---@return string
function M.text()
  local lines = {}
  for _, row in ipairs(require('himalaya.commands').table) do
    lines[#lines + 1] = ('command(%s, %s, %s%s)'):format(
      quoted(row.name),
      row.nargs and quoted(row.nargs) or '0',
      quoted(first_sentence(row.desc)),
      row.complete and ', true' or ''
    )
  end
  lines[#lines + 1] = ''
  for _, row in ipairs(require('himalaya.keymaps').plugs) do
    lines[#lines + 1] = ('vim.keymap.set(%s, %s, %s, { desc = %s })'):format(
      quoted('n'),
      quoted(row.plug),
      quoted('<Cmd>' .. row.command .. '<CR>'),
      quoted(row.desc)
    )
  end
  return HEAD .. table.concat(lines, '\n') .. '\n'
end

return M
