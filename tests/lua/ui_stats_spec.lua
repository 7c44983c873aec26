-- The statistics as rows, from what the store and the counters say.
local stats = require('himalaya.ui.stats_rows')

local NOW = 1700000000

local function texts(rows)
  return vim.tbl_map(function(row)
    for _, span in ipairs(row.spans) do
      assert.is_true(span[1] < span[2] and span[2] <= #row.text, row.text)
    end
    return row.text
  end, rows)
end

local function run(duration_ms, more)
  return vim.tbl_extend('force', {
    kind = 'full',
    error = '',
    started_at = NOW - 720,
    duration_ms = duration_ms,
    new = 2,
    bytes = 1024,
    round_trips = 3,
  }, more or {})
end

describe('the statistics', function()
  it('have a bar for each sync of an account, oldest first, and what they cost', function()
    assert.same({
      ' home             █▄ ▁',
      '   last           100 ms, 12m ago; the highest bar is 1.6 s',
      '   4 syncs        8 new, 4.0KB, 12 round trips (3.0 each), 1 failed',
    }, texts(
      stats.account('home', { run(100), run(0, { error = 'No route.' }), run(800), run(1600) }, NOW)
    ))
    assert.same({ ' office           no sync yet' }, texts(stats.account('office', {}, NOW)))
    local failed = texts(stats.account('home', { run(5, { error = 'No\nroute.\27[31m' }) }, NOW))
    assert.equal('   ! No route.', failed[4])
  end)

  it('say what was counted in words', function()
    local spread = { count = 9, p50_ms = 12, p90_ms = 1500, max_ms = 65000 }
    assert.same(
      {
        ' Since Neovim started',
        '   syncs          9 ended well, 1 were cancelled, 2 auth, 1 offline failed',
        '   durations      half within 12 ms, 9 of 10 within 1.5 s, longest 1m 5s, of 9',
        '   mail           30 new, 4 changed, 2 gone, 1 sent up',
        '   traffic        2.0MB, 40 round trips, 3 connections',
        '   others         asked 5 times, served 6',
        '   cache, memory  75% of 40 found, 2.0KB',
        '   cache, disk    not asked yet',
        '   cache          7 let go for room',
        '   jobs           8 ended well, 1 failed, 2 were cancelled, 0 timed out, 3 run again',
        '   waits, user    half within 12 ms, 9 of 10 within 1.5 s, longest 1m 5s, of 9',
        '   turns          100, half within 0.02 ms, 99 of 100 within 0.50 ms, longest 1.75 ms, 0 over 2 ms',
        '   by room        net 11 ms, lua 3 ms',
        '   memory         Lua 1.0MB',
      },
      texts(stats.counted({
        sync = {
          cycles = 9,
          cancelled = 1,
          failures = { auth = 2, offline = 1 },
          durations = spread,
          new = 30,
          updated = 4,
          expunged = 2,
          uploaded = 1,
          bytes = 2 * 1024 * 1024,
          round_trips = 40,
          connections_opened = 3,
          asked = 5,
          served = 6,
        },
        cache = {
          memory = { hits = 30, misses = 10, bytes = 2048 },
          disk = { hits = 0, misses = 0 },
          evictions = 7,
        },
        jobs = {
          submitted = 14,
          completed = 8,
          failed = 1,
          cancelled = 2,
          timed_out = 0,
          retried = 3,
          waits = { user = spread, ui = { count = 0 } },
        },
        loop = {
          busy_turns = 100,
          p50_ms = 0.02,
          p99_ms = 0.5,
          longest_turn_ms = 1.75,
          turns_over_2ms = 0,
          by_room = { lua = { total_ms = 3.1 }, net = { total_ms = 11.2 } },
        },
        memory = { lua_kb = 1024 },
      }))
    )
  end)

  it('name caches and waits before there were any', function()
    local rows = stats.counted({
      cache = { memory = { hits = 0, misses = 0, bytes = 0 }, remote = { hits = 1, misses = 0 } },
      jobs = {
        submitted = 0,
        completed = 0,
        failed = 0,
        cancelled = 0,
        timed_out = 0,
        retried = 0,
        waits = {},
      },
    })
    assert.same({
      ' Since Neovim started',
      '   cache, memory  not asked yet, 0B',
      '   cache, remote  100% of 1 found',
      '   jobs           0 ended well, 0 failed, 0 were cancelled, 0 timed out, 0 run again',
      '   waits          none yet',
    }, texts(rows))
  end)

  it('are short where nothing was counted yet', function()
    assert.same({ ' Since Neovim started' }, texts(stats.counted({})))
  end)
end)
