-- What is left of twenty programs, half of them deaf to SIGTERM, however Neovim goes: nothing.
local Child = require('tests.child')
local world = require('tests.jobs')
local start, run, until_gone, read_number = world.start, world.run, world.until_gone, world.read_number

describe('when Neovim goes', function()
  local function twenty(child)
    child.lua(function(dir)
      require('himalaya').setup({ async = { enabled = false, max_concurrent_commands = 21 } })
      for i = 1, 20 do
        local deaf = i % 2 == 0 and "trap '' TERM; " or ''
        local script = deaf .. ('echo $$ > pid%d; sleep 1000 & while :; do sleep 0.05; done'):format(i)
        _G.jobs.queue_command({ 'sh', '-c', script }, { cwd = dir }, _G.tell('never'))
      end
    end, child.dir)
    local pids = {}
    for i = 1, 20 do
      pids[i] = read_number(('%s/pid%d'):format(child.dir, i))
    end
    pids[21] = child.lua('return require("himalaya.native").jobs.metrics().guardian.pid')
    return pids
  end

  it('by :qa, nothing holds it up and nothing is left', function()
    local child = start()
    local pids = twenty(child)
    local code, ms = child.stop('qa!')
    assert.equal(0, code)
    assert.is_true(ms < Child.limit(300), ms .. ' ms')
    until_gone(pids)
  end)

  it('by SIGKILL, nothing is left', function()
    local child = start()
    local pids = twenty(child)
    child.kill('sigkill')
    until_gone(pids)
  end)

  it('by SIGTERM, nothing is left', function()
    local child = start()
    local pids = twenty(child)
    child.kill('sigterm')
    until_gone(pids)
  end)

  it('after its guardian was killed, the next guardian does it', function()
    local child = start()
    local pids = twenty(child)
    vim.uv.kill(pids[21], 'sigkill')
    local again = child.wait_for(function()
      local now = child.lua('return require("himalaya.native").jobs.metrics().guardian')
      return now.starts == 2 and now.pid > 0 and now.pid
    end)
    assert.is_nil((run(child, { 'true' })))
    pids[22] = again
    child.kill('sigkill')
    until_gone(pids)
  end)
end)
