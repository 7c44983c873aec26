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

-- :edit, marks and sessions come to our buffers by their names.
local ADDRESSES = [[
vim.api.nvim_create_autocmd('BufReadCmd', {
  group = vim.api.nvim_create_augroup('himalaya', { clear = true }),
  pattern = 'himalaya://*',
  desc = 'himalaya: show the folder or the message of this address',
  callback = function(given)
    require('himalaya.ui.screen').read(given.buf)
  end,
})
]]

---@param text string
local function quoted(text)
  return "'" .. text:gsub("['\\]", '\\%0') .. "'"
end

---@param text string
local function first_sentence(text)
  return (text:match('^[^.;]+') or text)
end

-- As the formatter lays a call out.
local WIDTH = 110

---@param call string
---@param arguments string[]
---@return string
local function call_line(call, arguments)
  local line = ('%s(%s)'):format(call, table.concat(arguments, ', '))
  if #line <= WIDTH then
    return line
  end
  return ('%s(\n  %s\n)'):format(call, table.concat(arguments, ',\n  '))
end

---@return string
function M.text()
  local lines = {}
  for _, row in ipairs(require('himalaya.commands').table) do
    local arguments =
      { quoted(row.name), row.nargs and quoted(row.nargs) or '0', quoted(first_sentence(row.desc)) }
    if row.complete then
      arguments[4] = 'true'
    end
    lines[#lines + 1] = call_line('command', arguments)
  end
  lines[#lines + 1] = ''
  lines[#lines + 1] = ADDRESSES
  for _, row in ipairs(require('himalaya.keymaps').plugs) do
    local command = '<Cmd>' .. row.command .. '<CR>'
    lines[#lines + 1] = call_line(
      'vim.keymap.set',
      { quoted('n'), quoted(row.plug), quoted(command), ('{ desc = %s }'):format(quoted(row.desc)) }
    )
  end
  return HEAD .. table.concat(lines, '\n') .. '\n'
end

return M
