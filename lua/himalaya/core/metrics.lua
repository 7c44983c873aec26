-- Everything counted, gathered from the modules that are loaded. One that is not has counted nothing; asking must not
-- be what loads it.

local M = {}

---@param module string
---@param ask string a function without arguments, in that module or in a table of it
---@return table?
local function of(module, ask)
  local found = package.loaded[module]
  for part in ask:gmatch('[^.]+') do
    found = found and found[part]
  end
  return found and found()
end

---@return table
function M.all()
  local memory = of('himalaya.native', 'memory.metrics') or {}
  memory.lua_kb = collectgarbage('count')
  return {
    jobs = of('himalaya.native', 'jobs.metrics') or {},
    sync = of('himalaya.native', 'sync.metrics') or {},
    cache = of('himalaya.native', 'mail.cache') or {},
    memory = memory,
    loop = of('himalaya.native', 'loop.metrics') or { longest_turn_ms = 0, turns_over_2ms = 0, by_room = {} },
  }
end

return M
