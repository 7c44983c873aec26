-- What a caller does wrong is raised at once, where it was called from, and names the argument.

--- @param name string the argument's
--- @param value any
--- @param kind string|string[] its type, or those it may have
return function(name, value, kind)
  local kinds = type(kind) == 'table' and kind or { kind }
  if not vim.tbl_contains(kinds, type(value)) then
    error(('%s: expected a %s, got %s'):format(name, table.concat(kinds, ' or '), type(value)), 3)
  end
end
