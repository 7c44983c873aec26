-- Run by scripts/docs: makes each generated file as text, then writes it or holds it against what is there.

vim.opt.runtimepath:prepend(vim.uv.cwd())
package.path = 'scripts/help/?.lua;' .. package.path

local FILES = {
  ['doc/himalaya.txt'] = function()
    return require('chapters').help()
  end,
  ['plugin/himalaya.lua'] = function()
    return require('plugin').text()
  end,
}

---@param path string
---@return string?
local function read(path)
  local file = io.open(path)
  if not file then
    return nil
  end
  local text = file:read('*a')
  file:close()
  return text
end

---@param path string
---@param text string
local function write(path, text)
  local file = assert(io.open(path, 'w'))
  file:write(text)
  file:close()
end

local check = arg[1] == '--check'
local old = {}
for path, make in vim.spairs(FILES) do
  local text = make()
  if read(path) ~= text then
    old[#old + 1] = path
    if not check then
      write(path, text)
    end
  end
end

if check and #old > 0 then
  io.stderr:write(table.concat(old, ', ') .. ' not current: run scripts/docs.\n')
  os.exit(1)
end
