-- What the job queue costs, against what Neovim itself offers for the same.
local figures = {
  {
    name = 'C++ tasks through lanes, keys and metrics, each told to Lua',
    asked = '200,000/s or more',
    how = '400,000 tasks that do nothing, over three lanes and 64 keys, 4,096 waiting at a time; wall clock from the\n'
      .. 'first to the last call of a Lua function. The peer column is vim.schedule called as often with the same\n'
      .. 'function, 4,096 at a time.',
  },
  {
    name = 'a program, from submit to callback',
    asked = 'at most 1.10x of vim.system + vim.schedule',
    how = '/bin/true one after the other, 300 by each way and run, in turns so that all meet the same machine;\n'
      .. "the ratio of the medians of each run's medians. The peer is vim.system with vim.schedule in its callback.\n"
      .. 'Our programs lead a session of their own, as those of vim.system do with detach = true: on a full machine\n'
      .. "Linux's autogroups then let others go first, so that one is shown too.",
  },
  {
    name = 'gaps of a 1 ms timer while 1,000 programs run, p99',
    asked = 'at most 2 ms more than idle',
    how = 'A repeating uv timer of 1 ms notes the time between two of its calls: for two seconds on the idle loop,\n'
      .. 'then while 1,000 times /bin/true run three at a time. The difference of the two percentiles. The peer\n'
      .. 'column is the same with vim.system, three at a time.',
  },
  {
    name = 'the same, p99.9',
    asked = 'at most 5 ms more than idle',
    how = 'See the figure before.',
  },
  {
    name = 'longest turn of our own code',
    asked = 'at most 2 ms of thread CPU time',
    how = 'The largest that metrics().loop.longest_turn_ms shows after 10,000 completions at once, the cancelling of\n'
      .. '10,000 queued jobs, and 300 programs; and for a batch of 10,000 commands, submitted and then cancelled by\n'
      .. "its handle, what the two calls themselves take of the thread's CPU time where that is more.",
  },
  {
    name = 'cancel to SIGTERM delivered',
    asked = 'under 5 ms',
    how = 'sleep 1000 takes SIGTERM with its default action; the time from handle:cancel() to the callback that tells\n'
      .. 'its end, which is later than the delivery. The peer column is vim.system with kill(15), to its own\n'
      .. 'callback.',
  },
  {
    name = '`:qa` with 20 programs running',
    asked = 'under 300 ms, nothing left',
    how = 'Wall clock from `:qa!` to the end of a child Neovim, half of the programs deaf to SIGTERM; then every\n'
      .. 'one of the 20 is looked for. The peer column is the same Neovim without a program running.',
  },
}

local function child_of(tools)
  local child = tools.child({ setup = { async = { enabled = false } } })
  child.lua(require('tests.bench.jobs_in_child'))
  child.lua('_G.bench.latencies(20)')
  return child
end

local function per_second(value)
  return ('%s/s'):format(
    tostring(math.floor(value)):reverse():gsub('(%d%d%d)', '%1,'):reverse():gsub('^,', '')
  )
end

local function measure_tasks(tools, report, child)
  child.lua('_G.bench.tasks(50000)')
  local peers = {}
  local rate = tools.median_of(function(i)
    peers[i] = child.lua('return _G.bench.schedules(400000)')
    return child.lua('return _G.bench.tasks(400000)')
  end)
  report(figures[1].name, {
    measured = per_second(rate),
    value = rate,
    met = rate >= 200000,
    peer = per_second(tools.median(peers)) .. ' (vim.schedule)',
    peer_value = tools.median(peers),
  })
end

local function measure_latency(tools, report, child)
  local medians = { {}, {}, {} }
  for i = 1, tools.runs do
    for way, list in ipairs(child.lua('return _G.bench.latencies(300)')) do
      medians[way][i] = tools.median(list)
    end
  end
  local mine, peer, in_session = unpack(vim.tbl_map(tools.median, medians))
  report(figures[2].name, {
    measured = ('%.2fx (%.0f us)'):format(mine / peer, mine),
    value = mine / peer,
    met = mine / peer <= 1.10,
    peer = ('%.0f us (with detach = true %.0f us)'):format(peer, in_session),
    peer_value = peer,
    detail = medians,
  })
end

local function measure_gaps(tools, report, child)
  local more = { ours = { p99 = {}, p999 = {} }, theirs = { p99 = {}, p999 = {} } }
  for i = 1, tools.runs do
    local idle = child.lua('return _G.bench.gaps("idle")')
    for way, list in pairs(more) do
      local busy = child.lua('return _G.bench.gaps(...)', way, 1000)
      list.p99[i], list.p999[i] = busy.p99 - idle.p99, busy.p999 - idle.p999
    end
  end
  for figure, share in ipairs({ 'p99', 'p999' }) do
    local value, peer = tools.median(more.ours[share]), tools.median(more.theirs[share])
    report(figures[figure + 2].name, {
      measured = ('%+.2f ms'):format(value),
      value = value,
      met = value <= (share == 'p99' and 2 or 5),
      peer = ('%+.2f ms (vim.system)'):format(peer),
      peer_value = peer,
      detail = more,
    })
  end
end

local function measure_turns(tools, report, child)
  local all = {}
  local value = tools.median_of(function(i)
    all[i] = child.lua('return _G.bench.longest_turns()')
    return math.max(unpack(vim.tbl_values(all[i])))
  end)
  local parts = {}
  for name in vim.spairs(all[1]) do
    parts[#parts + 1] = ('%s %s'):format(
      name,
      tools.ms(tools.median(vim.tbl_map(function(run)
        return run[name]
      end, all)))
    )
  end
  report(figures[5].name, {
    measured = ('%s (%s)'):format(tools.ms(value), table.concat(parts, ', ')),
    value = value,
    met = value <= 2,
    detail = all,
  })
end

local function measure_cancel(tools, report, child)
  local peers = {}
  local value = tools.median_of(function(i)
    peers[i] = child.lua('return _G.bench.cancel_ms("theirs")')
    return child.lua('return _G.bench.cancel_ms("ours")')
  end)
  report(figures[6].name, {
    measured = 'under ' .. tools.ms(value),
    value = value,
    met = value < 5,
    peer = tools.ms(tools.median(peers)) .. ' (vim.system)',
    peer_value = tools.median(peers),
  })
end

local function measure_leaving(tools, report)
  local wait = require('tests.child').wait_for
  local gone = require('tests.jobs').gone
  local empty, left = {}, 0
  local value = tools.median_of(function(i)
    local _, without = child_of(tools).stop()
    empty[i] = without
    local child = child_of(tools)
    child.lua('_G.bench.start_twenty(...)', child.dir)
    local pids = {}
    for n = 1, 20 do
      pids[n] = wait(function()
        local file = io.open(child.dir .. '/pid' .. n)
        local pid = file and tonumber(file:read('*l') or '')
        if file then
          file:close()
        end
        return pid
      end)
    end
    local _, ms = child.stop()
    -- The guardian's SIGKILL comes 100 ms after the SIGTERM that went out first.
    local ok = pcall(wait, function()
      for _, pid in ipairs(pids) do
        if not gone(pid) then
          return false
        end
      end
      return true
    end, 500)
    left = left + (ok and 0 or 1)
    return ms
  end)
  report(figures[7].name, {
    measured = ('%s, %s left'):format(tools.ms(value), left == 0 and 'nothing' or left .. ' times something'),
    value = value,
    met = value < 300 and left == 0,
    peer = tools.ms(tools.median(empty)) .. ' (no program running)',
  })
end

local function run(tools, report)
  local child = child_of(tools)
  measure_tasks(tools, report, child)
  measure_latency(tools, report, child)
  measure_gaps(tools, report, child)
  measure_turns(tools, report, child)
  measure_cancel(tools, report, child)
  child.stop()
  measure_leaving(tools, report)
end

return { about = 'what the job queue costs', figures = figures, run = run }
