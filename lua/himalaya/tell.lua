--- Calls a function that others gave us, a callback or the like: what it takes does not count as ours in the figures
--- of |himalaya.metrics()|. One of our own, which the screen passes by the same doors, counts.
---@param fn function
---@param ... any
return function(fn, ...)
  local native = package.loaded['himalaya.native']
  if native then
    return native.loop.tell(fn, ...)
  end
  return fn(...)
end
