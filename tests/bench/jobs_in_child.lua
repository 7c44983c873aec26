-- What tests/bench/jobs_bench.lua runs in its child Neovim: everything that is timed, as functions of a table.
return function()
  local bench = {}
  _G.bench = bench
  local jobs = require('himalaya.core.async_commands')
  local native = require('himalaya.native')
  local now = vim.uv.hrtime

  local function await(ready)
    assert(vim.wait(120000, ready, 1))
  end

  function bench.tasks(n)
    local told, start = 0, now()
    native.jobs.bench_tasks(n, function()
      told = told + 1
    end)
    await(function()
      return told == n
    end)
    return n / ((now() - start) / 1e9)
  end

  function bench.schedules(n)
    local told, asked, start = 0, 0, now()
    local function feed()
      while asked < n and asked - told < 4096 do
        asked = asked + 1
        vim.schedule(function()
          told = told + 1
          if asked - told == 2048 then
            feed()
          end
        end)
      end
    end
    feed()
    await(function()
      return told == n
    end)
    return n / ((now() - start) / 1e9)
  end

  local function by_us(argv, done)
    jobs.queue_command(argv, nil, done)
  end
  local function by_system(argv, done)
    vim.system(argv, nil, function()
      vim.schedule(done)
    end)
  end
  local function by_system_in_session(argv, done)
    vim.system(argv, { detach = true }, function()
      vim.schedule(done)
    end)
  end

  --- Microseconds of each of n by us, by vim.system, and by vim.system in a session of its own, in turns.
  function bench.latencies(n)
    local ways = { by_us, by_system, by_system_in_session }
    local lists, count, finished = { {}, {}, {} }, 0, false
    local function step()
      if count == n * #ways then
        finished = true
        return
      end
      local way = count % #ways + 1
      count = count + 1
      local start = now()
      ways[way]({ '/bin/true' }, function()
        table.insert(lists[way], (now() - start) / 1e3)
        -- Not from inside the callback: its stack is no part of the figure.
        vim.schedule(step)
      end)
    end
    step()
    await(function()
      return finished
    end)
    return lists
  end

  local function gaps_while(work)
    local gaps, last = {}, nil
    local timer = assert(vim.uv.new_timer())
    timer:start(1, 1, function()
      local time = now()
      if last then
        gaps[#gaps + 1] = (time - last) / 1e6
      end
      last = time
    end)
    work()
    timer:stop()
    timer:close()
    table.sort(gaps)
    local function at(share)
      return gaps[math.max(1, math.ceil(#gaps * share))]
    end
    return { p99 = at(0.99), p999 = at(0.999), max = gaps[#gaps], count = #gaps }
  end

  function bench.gaps(way, n)
    return gaps_while(function()
      if way == 'idle' then
        vim.wait(2000, function() end, 500)
        return
      end
      local done, started = 0, 0
      local run = way == 'ours' and by_us or by_system
      local function next_one()
        if started < n then
          started = started + 1
          run({ '/bin/true' }, function()
            done = done + 1
            next_one()
          end)
        end
      end
      for _ = 1, 3 do
        next_one()
      end
      vim.wait(120000, function()
        return done == n
      end, 500)
      assert(done == n)
    end)
  end

  --- Milliseconds of thread CPU time of our longest turn, by what was done.
  function bench.longest_turns()
    local longest = {}
    local function measure(name, work)
      await(function()
        return native.loop.metrics().waiting == 0
      end)
      native.loop.reset_metrics()
      work()
      longest[name] = native.loop.metrics().longest_turn_ms
    end
    -- What the calls themselves cost is the caller's, in the caller's turn; ours begins after it.
    local function settle()
      vim.wait(50)
      native.loop.reset_metrics()
    end
    measure('10,000 completions at once', function()
      local told = 0
      native.jobs.bench_tasks(10000, function()
        told = told + 1
      end)
      await(function()
        return told == 10000
      end)
    end)
    measure('10,000 queued jobs cancelled', function()
      local told = 0
      jobs.pause()
      for _ = 1, 10000 do
        jobs.queue_command({ '/bin/true' }, nil, function()
          told = told + 1
        end)
      end
      settle()
      native.jobs.cancel_all()
      await(function()
        return told == 10000
      end)
      jobs.resume()
    end)
    local ffi = require('ffi')
    if not pcall(ffi.typeof, 'himalaya_time') then
      ffi.cdef('typedef struct { long s, n; } himalaya_time; int clock_gettime(int, himalaya_time *);')
    end
    local time = ffi.new('himalaya_time')
    local function cpu_ms()
      ffi.C.clock_gettime(3, time) -- CLOCK_THREAD_CPUTIME_ID
      return tonumber(time.s) * 1e3 + tonumber(time.n) / 1e6
    end
    local name = 'a batch of 10,000 submitted and cancelled'
    local calls, commands, outcomes = 0, {}, nil
    for i = 1, 10000 do
      commands[i] = { argv = { '/bin/true' } }
    end
    local function timed(call)
      local start = cpu_ms()
      local result = call()
      calls = math.max(calls, cpu_ms() - start)
      return result
    end
    collectgarbage() -- of the 10,000 jobs before
    settle()
    measure(name, function()
      local before = native.jobs.metrics().submitted
      jobs.pause()
      local batch = timed(function()
        return jobs.execute_batch(commands, function(_, all)
          outcomes = all
        end)
      end)
      await(function()
        return native.jobs.metrics().submitted == before + 10000
      end)
      timed(function()
        batch:cancel()
      end)
      await(function()
        return outcomes
      end)
      jobs.resume()
    end)
    longest[name] = math.max(longest[name], calls)
    measure('300 programs', function()
      local told = 0
      jobs.pause()
      for _ = 1, 300 do
        jobs.queue_command({ '/bin/true' }, nil, function()
          told = told + 1
        end)
      end
      settle()
      jobs.resume()
      await(function()
        return told == 300
      end)
    end)
    return longest
  end

  function bench.cancel_ms(way)
    local ended, start
    local function done()
      ended = now()
    end
    local kill
    if way == 'ours' then
      local handle = jobs.queue_command({ 'sleep', '1000' }, nil, done)
      await(function()
        return jobs.status().running == 1
      end)
      kill = function()
        handle:cancel()
      end
    else
      local process = vim.system({ 'sleep', '1000' }, nil, done)
      kill = function()
        process:kill(15)
      end
    end
    vim.wait(20)
    start = now()
    kill()
    await(function()
      return ended
    end)
    return (ended - start) / 1e6
  end

  function bench.start_twenty(dir)
    require('himalaya').setup({ async = { enabled = false, max_concurrent_commands = 20 } })
    for i = 1, 20 do
      local deaf = i % 2 == 0 and "trap '' TERM; " or ''
      local script = deaf .. ('echo $$ > pid%d; while :; do sleep 0.05; done'):format(i)
      jobs.queue_command({ 'sh', '-c', script }, { cwd = dir }, function() end)
    end
  end
end
