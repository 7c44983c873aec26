-- The job queue as users and other plugins have it, with real programs in a real Neovim.
local world = require('tests.jobs')
local start, run, gone, read_number = world.start, world.run, world.gone, world.read_number

describe('a job', function()
  local child
  before_each(function()
    child = start()
  end)
  after_each(function()
    child.stop()
  end)

  it('gives its result, times and output as they were', function()
    local err, result = run(child, { 'sh', '-c', 'printf "a\\nb"; echo oops >&2' })
    assert.is_nil(err)
    assert.equal('a\nb', result.stdout)
    assert.equal('oops\n', result.stderr)
    assert.same({ 0, 0, 1 }, { result.code, result.signal, result.attempts })
    assert.is_true(result.queued_ms >= 0 and result.duration_ms > 0)
  end)

  it('fails with `exit` and its result as the detail', function()
    local err, result = run(child, { 'sh', '-c', 'echo why >&2; exit 3' })
    assert.is_nil(result)
    assert.equal('exit', err.code)
    assert.is_false(err.retryable)
    assert.same({ 3, 'why\n', 1 }, { err.detail.code, err.detail.stderr, err.detail.attempts })
  end)

  it('whose program does not exist fails with `not_found`', function()
    local err = run(child, { 'himalaya-no-such-program' }, { retries = 3, backoff = 1 })
    assert.equal('not_found', err.code)
    assert.matches('himalaya%-no%-such%-program', err.message)
    err = run(child, { 'true' }, { cwd = '/nonexistent' })
    assert.equal('not_found', err.code)
    assert.equal('Cannot start true in /nonexistent: no such file or directory.', err.message)
    err = run(child, { 'true' }, { cwd = '/etc/passwd' })
    assert.matches('Cannot start true in /etc/passwd', err.message)
    assert.matches('/etc/passwd is a folder', err.hint)
  end)

  it('is tried again where asked for, and only then', function()
    local script = 'echo x >> n; [ $(wc -l < n) -ge 3 ]'
    local err, result = run(child, { 'sh', '-c', script }, { retries = 5, backoff = 5, cwd = child.dir })
    assert.is_nil(err)
    assert.equal(3, result.attempts)
    assert.equal(2, child.lua('return _G.jobs.status().retried'))
    assert.equal(1, run(child, { 'false' }).detail.attempts)
  end)

  it('that takes too long is ended with all it has started', function()
    local script, pid, tried = 'sleep 1000 & echo $! > pid; wait', child.dir .. '/pid', 0
    local err
    -- On a full machine the shell may not get so far in the time given; then it gets more.
    repeat
      tried = tried + 1
      err = run(child, { 'sh', '-c', script }, { timeout = 100 * 3 ^ tried, cwd = child.dir })
      assert.equal('timeout', err.code)
    until vim.fn.getfsize(pid) > 0 or tried == 5
    assert.is_true(gone(read_number(pid)))
    assert.equal(tried, child.lua('return _G.jobs.status().timed_out'))
    err = run(child, { 'false' }, { deadline = 100, retries = 1000, backoff = 10 })
    assert.is_true(err.code == 'timeout' or err.code == 'exit')
  end)

  it('deaf to SIGTERM is killed after its grace', function()
    local script = "trap '' TERM; echo $$ > pid; while :; do sleep 0.01; done"
    child.lua(function(words, options)
      _G.handle = _G.jobs.queue_command(words, options, _G.tell('deaf'))
    end, { 'sh', '-c', script }, { grace = 50, cwd = child.dir })
    local pid = read_number(child.dir .. '/pid')
    assert.is_true(child.lua('return _G.handle:cancel()'))
    child.wait_for('return _G.told[1]')
    assert.equal('cancelled', child.lua('return _G.told[1].err.code'))
    assert.is_true(gone(pid))
    assert.is_false(child.lua('return _G.handle:cancel()'))
  end)

  it('streams stdin, and does not mind who closes it at once', function()
    local text = ('x'):rep(2000000)
    local _, result = run(child, { 'wc', '-c' }, { stdin = text })
    assert.equal(2000000, tonumber(result.stdout))
    local err
    err, result = run(child, { 'sh', '-c', 'exec 0<&-; echo done' }, { stdin = text })
    assert.is_nil(err)
    assert.equal('done\n', result.stdout)
    _, result = run(child, { 'cat' }, { stdin = { 'one', 'two' } })
    assert.equal('one\ntwo\n', result.stdout)
  end)

  it('hands over lines as they come, the last one without its newline too', function()
    local lines = child.await(function(done)
      local lines = {}
      _G.jobs.queue_command({ 'sh', '-c', 'seq 1 5000; printf end' }, {
        on_stdout = function(line)
          lines[#lines + 1] = line
        end,
      }, function(err, result)
        done({
          #lines,
          lines[1],
          lines[5000],
          lines[5001],
          err == nil,
          result.stdout == table.concat(lines, '\n'),
        })
      end)
    end)
    assert.same({ 5001, '1', '5000', 'end', true, true }, lines)
  end)

  it('may write anything: no newline, invalid UTF-8', function()
    local length, bytes = child.await(function(done)
      _G.jobs.queue_command({ 'printf', 'a\\377\\376\\000b' }, {}, function(_, result)
        done(#result.stdout, { result.stdout:byte(1, -1) })
      end)
    end)
    assert.equal(5, length)
    assert.same({ 97, 255, 254, 0, 98 }, bytes)
  end)

  it('that writes a gigabyte is ended at 64 MiB, with an error that says so', function()
    local code, message, size, memory = child.await(function(done)
      _G.jobs.queue_command({ 'head', '-c', '1073741824', '/dev/zero' }, {}, function(err)
        done(err.code, err.message, #err.detail.stdout, vim.uv.resident_set_memory() / 1048576)
      end)
    end)
    assert.equal('invalid', code)
    assert.equal('head wrote more than 64 MiB to stdout.', message)
    assert.equal(64 * 1048576, size)
    local err = run(child, { 'echo' }, { max_output = 0 })
    assert.equal('echo wrote more than 0 bytes to stdout.', err.message)
    assert.is_nil((run(child, { 'true' }, { max_output = 0 })))
    if not vim.env.HIMALAYA_SANITIZER then
      assert.is_true(memory < 400, memory .. ' MiB')
    end
  end)

  it('that leaves a grandchild behind is not held up by it, and it goes too', function()
    local script = 'sleep 1000 >/dev/null 2>&1 & echo $! > pid; echo done'
    local err, result = run(child, { 'sh', '-c', script }, { cwd = child.dir })
    assert.is_nil(err)
    assert.equal('done\n', result.stdout)
    assert.is_true(gone(read_number(child.dir .. '/pid')))
  end)

  it('gets our environment with changes, without the variables that hold secrets', function()
    child.stop()
    child = start({
      env = { HOME_PASSWORD = 'hunter2', KEPT = 'kept' },
      setup = {
        async = { enabled = false },
        accounts = {
          home = {
            email = 'me@example.org',
            imap = { host = 'imap.example.org', auth = { type = 'password', env = 'HOME_PASSWORD' } },
          },
        },
      },
    })
    local _, result = run(child, { 'env' }, { env = { ADDED = 'added' } })
    assert.matches('KEPT=kept', result.stdout)
    assert.matches('ADDED=added', result.stdout)
    assert.is_nil(result.stdout:find('hunter2', 1, true))
    _, result = run(child, { 'env' }, { env = { HOME_PASSWORD = 'hunter3' } })
    assert.is_nil(result.stdout:find('HOME_PASSWORD', 1, true))
  end)
end)

describe('the queue', function()
  local child
  before_each(function()
    child = start()
  end)
  after_each(function()
    child.stop()
  end)

  it('runs max_concurrent_commands at a time, user before ui before background, and keeps a slot', function()
    local order = child.await(function(done)
      require('himalaya').setup({ async = { enabled = false, max_concurrent_commands = 1 } })
      local order = {}
      for i, lane in ipairs({ 'background', 'background', 'ui', 'user', 'ui', 'user' }) do
        _G.jobs.queue_command({ 'true' }, {}, function()
          order[#order + 1] = lane
          if #order == 6 then
            done(table.concat(order, ' '))
          end
        end, lane)
      end
    end)
    assert.equal('user user ui ui background background', order)
    child.lua(function()
      require('himalaya').setup({ async = { enabled = false, max_concurrent_commands = 3 } })
      for _ = 1, 5 do
        _G.jobs.queue_command({ 'sleep', '1000' }, {}, _G.tell('background'), 'background')
      end
    end)
    child.wait_for('return _G.jobs.status().running == 2')
    assert.is_nil((run(child, { 'true' }, {}, 'user')))
    assert.same({ user = 0, ui = 0, background = 3 }, child.lua('return _G.jobs.status().queued'))
    child.lua('require("himalaya.native").jobs.cancel_all()')
    child.wait_for('return #_G.told == 5')
  end)

  it('runs jobs of one key one at a time and lets later ones join', function()
    child.lua(function(dir)
      local script = 'echo begin >> log; sleep 0.05; echo end >> log'
      for _ = 1, 3 do
        _G.jobs.queue_command({ 'sh', '-c', script }, { key = 'a', cwd = dir }, _G.tell('serial'))
      end
    end, child.dir)
    child.wait_for('return #_G.told == 3')
    local log = table.concat(vim.fn.readfile(child.dir .. '/log'), ' ')
    assert.equal('begin end begin end begin end', log)
    child.lua(function(dir)
      _G.told = {}
      for i = 1, 3 do
        local opts = { key = 'b', coalesce = true, cwd = dir, on_stdout = function() end }
        _G.jobs.queue_command(
          { 'sh', '-c', 'echo x >> once; sleep 0.1; cat once' },
          opts,
          _G.tell('joined ' .. i)
        )
      end
    end, child.dir)
    child.wait_for('return #_G.told == 3')
    assert.same(
      { 'x\n', 'x\n', 'x\n' },
      child.lua(function()
        return vim.tbl_map(function(each)
          return each.result.stdout
        end, _G.told)
      end)
    )
  end)

  it('takes ten thousand jobs and their cancelling', function()
    local result = child.await(function(done)
      local told, handles = 0, {}
      require('himalaya.native').loop.reset_metrics()
      for i = 1, 10000 do
        handles[i] = _G.jobs.queue_command({ 'sleep', '1000' }, {}, function(err)
          told = told + (err.code == 'cancelled' and 1 or 0)
          if told == 10000 then
            vim.schedule(function()
              done(_G.jobs.status())
            end)
          end
        end, ({ 'user', 'ui', 'background' })[i % 3 + 1])
      end
      for _, handle in ipairs(handles) do
        assert(handle:cancel())
      end
    end)
    assert.equal(10000, result.cancelled)
    assert.equal(0, result.running + result.queued.user + result.queued.ui + result.queued.background)
  end)

  it('goes on when a callback raises, which is reported once', function()
    child.lua(function()
      _G.notices = {}
      vim.notify = function(text)
        table.insert(_G.notices, text)
      end
      for _ = 1, 3 do
        _G.jobs.queue_command({ 'true' }, {}, function()
          error('the callback is broken')
        end)
      end
    end)
    assert.is_nil((run(child, { 'true' })))
    child.wait_for('return _G.jobs.status().completed == 4')
    child.wait_for('return #_G.notices > 0')
    local notices = child.lua('return _G.notices')
    assert.equal(1, #notices)
    assert.matches('the callback is broken', notices[1])
  end)

  it('takes cancel, close and further jobs inside a callback', function()
    local codes = child.await(function(done)
      local first, second
      first = _G.jobs.queue_command({ 'true' }, {}, function()
        local mine = first:cancel()
        second:close(function()
          _G.jobs.queue_command({ 'true' }, {}, function(err)
            done({ mine, _G.told[1].err.code, err == nil })
          end)
        end)
      end)
      second = _G.jobs.queue_command({ 'sleep', '1000' }, {}, _G.tell('second'))
    end)
    assert.same({ false, 'cancelled', true }, codes)
  end)

  it('calls back while another plugin waits in vim.wait or vim.fn.system', function()
    local seen = child.lua(function()
      local seen = {}
      for i = 1, 4 do
        _G.jobs.queue_command({ 'sh', '-c', 'echo ' .. i }, {}, function(_, result)
          vim.fn.system('sleep 0.02')
          vim.wait(20)
          seen[#seen + 1] = result.stdout
        end)
      end
      vim.fn.system('sleep 0.1')
      vim.wait(10000, function()
        return #seen == 4
      end)
      return seen
    end)
    table.sort(seen)
    assert.same({ '1\n', '2\n', '3\n', '4\n' }, seen)
  end)

  it('holds what waits while paused, and goes on', function()
    local order = child.await(function(done)
      local order = {}
      local function note(word)
        order[#order + 1] = word
        if #order == 4 then
          done(order)
        end
      end
      _G.jobs.pause()
      for _, lane in ipairs({ 'background', 'user' }) do
        _G.jobs.queue_command({ 'true' }, {}, function()
          note(lane)
        end, lane)
      end
      local waits = _G.jobs.queue_command({ 'true' }, {}, function(err)
        note(err.code)
        vim.wait(50) -- enough for any of the others, if it could start
        local status = _G.jobs.status()
        note(('%d run, %d wait'):format(status.running, status.queued.user + status.queued.background))
        assert(require('himalaya').metrics().jobs.paused)
        _G.jobs.resume()
        _G.jobs.resume()
      end)
      waits:cancel()
    end)
    assert.same({ 'cancelled', '0 run, 2 wait', 'user', 'background' }, order)
  end)

  it('may be cancelled inside on_stdout', function()
    local seen = child.await(function(done)
      local lines, handle = 0, nil
      handle = _G.jobs.queue_command({ 'yes' }, {
        on_stdout = function()
          lines = lines + 1
          if lines == 3 then
            assert(handle:cancel() and not handle:cancel())
          end
        end,
      }, function(err)
        local told = lines
        vim.defer_fn(function()
          done({ err.code, err.detail.signal, lines == told })
        end, 20)
      end)
    end)
    assert.same({ 'cancelled', 15, true }, seen)
  end)

  it('refuses bad arguments at once, by their names', function()
    local function refused(code)
      local ok, problem = unpack(child.lua('local j = _G.jobs; return { pcall(' .. code .. ') }'))
      assert.is_false(ok)
      return problem
    end
    assert.matches('argv', refused('j.queue_command, {}, {}, print'))
    assert.matches('argv%[2%]', refused('j.queue_command, { "a", 1 }, {}, print'))
    assert.matches('opts%.timeout', refused('j.queue_command, { "a" }, { timeout = -1 }, print'))
    assert.matches('opts%.retires', refused('j.queue_command, { "a" }, { retires = 1 }, print'))
    assert.matches('opts', refused('j.queue_command, { "a" }, 3, print'))
    assert.matches('cb', refused('j.queue_command, { "a" }, {}, nil'))
    assert.matches('priority', refused('j.queue_command, { "a" }, {}, print, "urgent"'))
    assert.matches('args', refused('j.execute_async, "list", {}, print'))
    assert.matches('id', refused('j.cancel_job, {}'))
    assert.matches('args%[2%]', refused('j.execute_async, { "list", 1 }, {}, print'))
    assert.matches('args: has a hole', refused('j.execute_async, { "list", [3] = "x" }, {}, print'))
    assert.matches('argv.*nil', refused('j.queue_command, { "a", nil, "x" }, {}, print'))
    assert.matches("argv: expected a list, .*'cmd'", refused('j.queue_command, { cmd = "a" }, {}, print'))
    assert.matches("argv: expected a list, .*'n'", refused('j.queue_command, { "a", n = 1 }, {}, print'))
    assert.matches(
      'opts%.coalesce: needs a key',
      refused('j.queue_command, { "a" }, { coalesce = true }, print')
    )
    assert.matches('opts%.key', refused('j.queue_command, { "a" }, { key = "" }, print'))
    assert.matches('opts%.env', refused('j.queue_command, { "a" }, { env = { ["A=B"] = "c" } }, print'))
    assert.matches('opts: has a number', refused('j.queue_command, { "a" }, { 1 }, print'))
    assert.matches("commands: .*'a'", refused('j.execute_batch, { a = {} }, print'))
    assert.matches(
      'commands%[2%]',
      refused('j.execute_batch, { { argv = { "a" } }, nil, { argv = { "a" } } }, print')
    )
    assert.matches(
      'commands%[1%]%.timeout',
      refused('j.execute_batch, { { argv = { "a" }, timeout = 1 } }, print')
    )
    assert.matches('cb', refused('j.execute_batch, { { argv = { "a" } } }'))
    assert.matches('commands%[2%]%.argv', refused('j.execute_batch, { { argv = { "a" } }, {} }, print'))
    assert.equal(0, child.lua('return require("himalaya.native").jobs.metrics().submitted'))
    assert.is_false(child.lua('return _G.jobs.cancel_job(12345)'))
    assert.is_false(child.lua('return _G.jobs.cancel_job("batch-12345")'))
  end)

  it('runs the himalaya program of the options', function()
    child.lua('require("himalaya").setup({ async = { enabled = false }, binaries = { himalaya = "echo" } })')
    local _, result = child.await(function(done)
      _G.jobs.execute_async({ 'folder', 'list' }, { timeout = 5000 }, done)
    end)
    assert.equal('folder list\n', result.stdout)
  end)

  it('counts waits and durations', function()
    run(child, { 'true' }, {}, 'ui')
    local jobs = child.lua('return require("himalaya").metrics().jobs')
    assert.equal(1, jobs.completed)
    assert.equal(1, jobs.waits.ui.count)
    assert.is_true(jobs.durations.ui.p50_ms > 0)
    assert.equal(1, jobs.guardian.starts)
  end)

  it('outlives setup twice and a reload', function()
    local outcome = child.await(function(done)
      local count = 0
      local function one(err)
        count = count + (err == nil and 1 or 0)
        if count == 2 then
          done(require('himalaya.core.async_commands').status().completed)
        end
      end
      _G.jobs.queue_command({ 'sleep', '0.1' }, {}, one)
      require('himalaya').setup({ async = { enabled = false } })
      require('himalaya').setup({ async = { enabled = false, max_concurrent_commands = 2 } })
      for name in pairs(package.loaded) do
        if name:match('^himalaya') then
          package.loaded[name] = nil
        end
      end
      require('himalaya.core.async_commands').queue_command({ 'true' }, {}, one)
    end)
    assert.equal(2, outcome)
  end)
end)
