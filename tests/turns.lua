-- What our code kept the loop for, over many Neovims: with HIMALAYA_TURNS every child Neovim of the tests writes its
-- loop metrics there when it exits or is taken down, and this adds them up. One that a test kills writes nothing.
--
--   nvim -u NONE -l tests/turns.lua FOLDER [N]    prints the sum in a line, and the N Neovims with the longest turns
local M = {}

--- Lua for a child's init.lua. It runs before the module's own end, which is asked for later; a child that is to be
--- killed is asked by name.
M.WRITE = [[
function himalaya_write_turns()
  local native = package.loaded['himalaya.native']
  if not native then
    return
  end
  local name = ('%s/%d-%d.json'):format(vim.env.HIMALAYA_TURNS, vim.fn.getpid(), vim.uv.hrtime())
  local file = io.open(name, 'w')
  if file then
    local metrics = native.loop.metrics()
    metrics.spec = vim.env.HIMALAYA_SPEC
    file:write(vim.json.encode(metrics))
    file:close()
  end
  himalaya_write_turns = function() end
end
vim.api.nvim_create_autocmd('VimLeavePre', { callback = function() himalaya_write_turns() end })]]

---@class tests.Turns
---@field neovims integer
---@field busy integer turns in which our code did anything
---@field over integer those of more than 2 ms
---@field longest_ms number
---@field rooms table<string, number> the longest slice of each
---@field worst { ms: number, longest: table, spec?: string }[] the longest turn of each Neovim, the longest first

---@param folder string
---@return tests.Turns
function M.sum(folder)
  local sum = { neovims = 0, busy = 0, over = 0, longest_ms = 0, rooms = {}, worst = {} }
  for _, path in ipairs(vim.fn.glob(folder .. '/*.json', false, true)) do
    local read, metrics = pcall(vim.json.decode, table.concat(vim.fn.readfile(path), '\n'))
    if read then
      sum.neovims = sum.neovims + 1
      sum.busy = sum.busy + metrics.busy_turns
      sum.over = sum.over + metrics.turns_over_2ms
      sum.longest_ms = math.max(sum.longest_ms, metrics.longest_turn_ms)
      for room, figures in pairs(metrics.by_room) do
        sum.rooms[room] = math.max(sum.rooms[room] or 0, figures.longest_ms)
      end
      sum.worst[#sum.worst + 1] =
        { ms = metrics.longest_turn_ms, longest = metrics.longest, spec = metrics.spec }
    end
  end
  table.sort(sum.worst, function(a, b)
    return a.ms > b.ms
  end)
  return sum
end

--- The four rooms with the longest slices; `theirs` is the tests' own callbacks, which are in no turn.
---@param sum table
---@return string
function M.rooms(sum)
  local rooms = {}
  for room, longest in pairs(sum.rooms) do
    rooms[#rooms + 1] = { room, longest }
  end
  table.sort(rooms, function(a, b)
    return a[2] > b[2]
  end)
  local parts = {}
  for i = 1, math.min(4, #rooms) do
    parts[i] = ('%s %.2f ms'):format(unpack(rooms[i]))
  end
  return table.concat(parts, ', ')
end

---@param sum table
---@return string
function M.text(sum)
  return ('%.2f ms; over 2 ms %d of %d turns (%.3f %%) in %d Neovims'):format(
    sum.longest_ms,
    sum.over,
    sum.busy,
    sum.busy > 0 and 100 * sum.over / sum.busy or 0,
    sum.neovims
  )
end

--- The Neovims with the longest turns: how long, in which spec, and who worked most in it.
---@param sum table
---@param most integer
---@return string[]
function M.worst(sum, most)
  local lines = {}
  for i = 1, math.min(most, #sum.worst) do
    local each = sum.worst[i]
    local what = each.longest.what and (', %s %.2f ms'):format(each.longest.what, each.longest.what_ms) or ''
    lines[i] = ('  %6.2f ms in %s: %s%s'):format(each.ms, each.spec or '?', each.longest.room or '?', what)
  end
  return lines
end

if arg and arg[0] and arg[0]:match('turns%.lua$') then
  local sum = M.sum(arg[1])
  io.write('longest turn of our code: ', M.text(sum), '; longest slices: ', M.rooms(sum), '\n')
  io.write(table.concat(M.worst(sum, tonumber(arg[2]) or 3), '\n'), '\n')
end

return M
