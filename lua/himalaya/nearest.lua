-- "Did you mean ...?": the known word that is the fewest keystrokes away from the one that was written.

local M = {}

-- Words longer than this are not typing errors of anything of ours.
local LONGEST = 64

--- Keystrokes between two words: letters added, left out, changed, or two neighbours swapped.
---@param a string
---@param b string
---@return integer
function M.distance(a, b)
  local before, last = {}, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    local this = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local best = math.min(last[j] + 1, this[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, before[j - 2] + 1)
      end
      this[j] = best
    end
    before, last = last, this
  end
  return last[#b]
end

-- A word that was cut short or known by its beginning: `hartbeat` is nearer to `heartbeat_interval` than to `enabled`.
---@param word string
---@param known string
---@return integer
local function strokes(word, known)
  local whole = M.distance(word, known)
  if #word >= 4 and #known > #word then
    return math.min(whole, M.distance(word, known:sub(1, #word)) + 1)
  end
  return whole
end

--- The nearest of `words`, and whether it is near enough to be what was meant.
---@param word string
---@param words string[]
---@return string? nearest
---@return boolean? close
function M.of(word, words)
  word = word:sub(1, LONGEST):lower()
  local nearest, fewest
  for _, known in ipairs(words) do
    local n = strokes(word, known:lower())
    if not fewest or n < fewest or (n == fewest and known < nearest) then
      nearest, fewest = known, n
    end
  end
  if not nearest then
    return nil
  end
  return nearest, fewest <= math.max(1, math.floor(math.max(#word, #nearest) / 3))
end

return M
