-- What the specs of jobs share: a child with the queue at hand, and a look at which programs live.
local Child = require('tests.child')

local M = {}

function M.start(opts)
  local child = Child.start(opts or { setup = { async = { enabled = false } } })
  child.lua(function()
    _G.jobs = require('himalaya.core.async_commands')
    _G.told = {}
    _G.tell = function(name)
      return function(err, result)
        assert(not vim.in_fast_event())
        local why = err and { code = err.code, message = err.message }
        _G.told[#_G.told + 1] = { name = name, err = why, result = result }
      end
    end
  end)
  return child
end

--- Runs one command to its end: err, result.
function M.run(child, argv, opts, priority)
  return child.await(function(done, words, options, lane)
    _G.jobs.queue_command(words, options, done, lane)
  end, argv, opts or vim.empty_dict(), priority)
end

function M.gone(pid)
  local stat = io.open(('/proc/%d/stat'):format(pid))
  if not stat then
    return true
  end
  local state = stat:read('*a'):match('.*%) (%a)')
  stat:close()
  return state == 'Z' or state == 'X'
end

function M.until_gone(pids)
  Child.wait_for(function()
    for _, pid in ipairs(pids) do
      if not M.gone(pid) then
        return false
      end
    end
    return true
  end, 5000, 'every program to be gone')
end

function M.read_number(path)
  return Child.wait_for(function()
    local file = io.open(path)
    local number = file and tonumber(file:read('*l') or '')
    if file then
      file:close()
    end
    return number
  end, 5000, 'a number in ' .. path)
end

return M
