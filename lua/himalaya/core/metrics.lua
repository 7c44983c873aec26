-- Everything counted, gathered from the modules that are loaded. One that is not has counted nothing; asking must not
-- be what loads it.

local M = {}

---@param module string
---@param ask string
---@param none table
---@return table
local function of(module, ask, none)
  local loaded = package.loaded[module]
  return loaded and loaded[ask] and loaded[ask]() or none
end

---@return table
function M.all()
  local native = package.loaded['himalaya.native']
  local counted = native and native.metrics and native.metrics() or {}
  local memory = counted.memory or {}
  memory.lua_kb = collectgarbage('count')
  return {
    jobs = counted.jobs or {},
    sync = counted.sync or of('himalaya.sync.manager', 'metrics', {}),
    cache = counted.cache or of('himalaya.core.smart_cache', 'stats', {}),
    memory = memory,
    loop = counted.loop or { longest_turn_ms = 0, turns_over_2ms = 0, by_room = {} },
  }
end

return M
