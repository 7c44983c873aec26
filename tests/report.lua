-- busted's output for people and for scripts/test: silence for what passed, everything known about what did not.
-- It also takes down the child Neovims a spec left behind, so that one failing test cannot leave processes.
local busted = require('busted')

return function()
  local handler = require('busted.outputHandlers.base')()

  local function describe(kind, entry)
    local where = entry.element.trace or entry.trace or {}
    local text = entry.message
    if text == nil then
      text = 'no message'
    elseif type(text) ~= 'string' then
      text = tostring(text) or vim.inspect(text)
    end
    io.write(
      ('\n%s: %s\n  at %s:%s\n'):format(kind, entry.name, where.short_src or '?', where.currentline or '?')
    )
    for line in (text .. '\n'):gmatch('(.-)\n') do
      io.write('  ', line, '\n')
    end
    if kind == 'ERROR' and entry.trace and entry.trace.traceback then
      io.write(entry.trace.traceback, '\n')
    end
  end

  local function report()
    for _, entry in ipairs(handler.failures) do
      describe('FAILED', entry)
    end
    for _, entry in ipairs(handler.errors) do
      describe('ERROR', entry)
    end
    for _, entry in ipairs(handler.pendings) do
      io.write(('SKIPPED: %s (%s)\n'):format(entry.name, tostring(entry.message or 'no reason given')))
    end
    local failed = handler.failuresCount + handler.errorsCount
    io.write(
      ('# passed %d failed %d skipped %d\n'):format(handler.successesCount, failed, handler.pendingsCount)
    )
    io.flush()
    return nil, true
  end

  local function end_of_file()
    if package.loaded['tests.child'] then
      package.loaded['tests.child'].stop_all()
    end
    return nil, true
  end

  busted.subscribe({ 'suite', 'end' }, function()
    end_of_file()
    return report()
  end)
  return handler
end
