--- Loads the module built from cpp/ and nothing else: by its full path, so that no other file of that name is taken;
--- only when it belongs to these Lua files; with one message that says what to run when it cannot be.
---
--- Everything that touches files is the dynamic loader's: no stat, no read of our own at start.

--- @class himalaya.Native
--- @field stamp string           the sources it was built from
--- @field path string            where it was loaded from
--- @field versions fun(): table<string, string>   the libraries of this process
--- @field stop fun()             ends everything; VimLeavePre calls it
--- @field metrics fun(): table   everything counted, a part for each area
--- @field imap table             see lua/himalaya/imap.lua
--- @field loop himalaya.native.Loop
--- @field log himalaya.native.Log
--- @field jobs himalaya.native.Jobs

--- @class himalaya.native.Loop
--- @field metrics fun(): himalaya.LoopMetrics
--- @field reset_metrics fun()
--- @field enter fun(fn: fun())   fn() as a part of ours, for what Neovim's timers and autocommands call
--- @field tell fun(fn: function, ...: any)   fn(...), not counted as ours where it is a user's
--- @field complete fun(callback: function, ...: any)  the callback comes by the queue, as completions do
--- @field listen fun(callback: function, high?: integer, gathering?: boolean): userdata  told again and again
--- @field change fun(listener: userdata, key: string, ...: any)      only the newest of a key is told
--- @field offer fun(listener: userdata, ...: any): boolean           told in order; false when enough waits
--- @field on_room fun(listener: userdata, fn: function)              when it has room again

--- @class himalaya.LoopMetrics
--- @field longest_turn_ms number   thread CPU time of all our code in one turn of the loop, without users' callbacks
--- @field longest { room?: string, what?: string, what_ms?: number }   what worked most in that turn
--- @field turns_over_2ms integer
--- @field turns integer
--- @field busy_turns integer       those in which we did anything
--- @field p50_ms number
--- @field p99_ms number
--- @field waiting integer          events that Lua was not told yet
--- @field delivered integer
--- @field by_room table<string, { total_ms: number, longest_ms: number, slices: integer }>   `theirs`: users' callbacks

--- @class himalaya.native.Log
--- @field add fun(level: string, room: string, text: string)
--- @field recent fun(most?: integer): { time_ms: integer, level: string, room: string, text: string }[]
--- @field set_level fun(level: 'trace'|'debug'|'info'|'warn'|'error')
--- @field open_file fun(path: string)

--- Gives the job's id. Of a `program` that is given `argv` holds the arguments only.
--- @alias himalaya.native.Submit fun(argv: string[], opts?: himalaya.JobOptions, cb: function,
---   priority?: himalaya.Priority, program?: string): integer

--- @class himalaya.native.Jobs
--- @field submit himalaya.native.Submit
--- @field submit_command fun(commands: himalaya.BatchCommand[], i: integer, cb: function, group: integer): integer
--- @field check_batch fun(commands: himalaya.BatchCommand[], cb: function, most: integer): integer
--- @field group fun(): integer            a new one, for jobs that are cancelled together
--- @field cancel_group fun(group: integer)   what runs is being stopped and nothing more of it starts
--- @field cancel fun(id: integer): boolean
--- @field cancel_all fun()
--- @field alive fun(id: integer): boolean
--- @field pause fun()   nothing starts until resume(); what runs goes on
--- @field resume fun()
--- @field configure fun(opts: { max_concurrent?: integer, secrets?: string[] })
--- @field status fun(): himalaya.JobStatus
--- @field metrics fun(): table
--- @field list fun(most?: integer): himalaya.JobList
--- @field bench_tasks fun(n: integer, cb: fun())

--- @class himalaya.JobSight
--- @field id integer
--- @field name string
--- @field priority himalaya.Priority
--- @field state string         of one that has ended: done, failed, cancelled, timed_out
--- @field attempts integer
--- @field queued_ms number
--- @field duration_ms number
--- @field pid? integer

--- @class himalaya.JobList: himalaya.JobStatus
--- @field jobs himalaya.JobSight[]    those that run, then those that wait
--- @field recent himalaya.JobSight[]  the last 50 that ended, the latest first
--- @field alive integer               all that have not ended

local source = debug.getinfo(1, 'S').source:sub(2)
local root = vim.fn and source:match('^(.*)/lua/himalaya/native%.lua$') or nil

if vim.is_thread and vim.is_thread() then
  error('himalaya.native cannot be loaded in a thread made by vim.uv: require it on the main thread.', 0)
end
if not root then
  error('himalaya.native was loaded from an odd place: ' .. source, 0)
end
root = vim.fn.fnamemodify(root, ':p'):gsub('/$', '')

local build_dir = vim.env.HIMALAYA_BUILD_DIR or (root .. '/build')
local path = build_dir .. '/himalaya_native.so'
local mend = ('cd %s && ./scripts/build'):format(vim.fn.shellescape(root))

--- @param problem string
local function refuse(problem)
  -- Else LuaJIT answers the next require with "loop or previous error" and nothing else.
  package.loaded['himalaya.native'] = nil
  error(('himalaya: %s\nRun this, then start Neovim again:\n  %s'):format(problem, mend), 0)
end

--- What the dynamic loader says, in the words of somebody who only wants it to work.
--- @param message string
local function explain(message)
  if message:find('No such file', 1, true) or message:find('no such file', 1, true) then
    return ('the module is not built: %s is missing.'):format(path)
  elseif message:find('luaopen_himalaya_stamp', 1, true) then
    return ('the module at %s is of other sources: it has no stamp.'):format(path)
  end
  return ('the module at %s does not load on this machine: %s'):format(path, message)
end

local stamp_of, problem = package.loadlib(path, 'luaopen_himalaya_stamp')
if not stamp_of then
  refuse(explain(tostring(problem)))
end
-- By its path too: a search of 'runtimepath' costs more than all of luaopen.
local has_stamp, wanted = pcall(dofile, root .. '/lua/himalaya/stamp.lua')
local built = stamp_of()
if not has_stamp or type(wanted) ~= 'string' then
  refuse(('%s/lua/himalaya/stamp.lua is missing or damaged; it says which module fits.'):format(root))
elseif built ~= wanted then
  refuse(('the module at %s is of other sources (%s) than the Lua files (%s).'):format(path, built, wanted))
end

local open = assert(package.loadlib(path, 'luaopen_himalaya_native'))

--- @type himalaya.Native
local native = open({
  root = root,
  build_dir = build_dir,
  schedule = vim.schedule,
  --- Called outside the fast context, by the dispatcher. Scheduled all the same: a notifier of the user's may wait.
  report = function(message)
    vim.schedule(function()
      vim.notify('himalaya: ' .. message, vim.log.levels.ERROR)
    end)
  end,
})

native.path = path

-- Who debugs sees more in :HimalayaLog too. A script that needs no options does not load them for this.
local config = package.loaded['himalaya.config']
if config then
  local function log_level(options)
    native.log.set_level(options.notify.debug and 'debug' or 'info')
  end
  log_level(config.get())
  config.watch('himalaya.native', log_level)
end

vim.api.nvim_create_autocmd('VimLeavePre', {
  group = vim.api.nvim_create_augroup('himalaya.native', { clear = true }),
  desc = 'himalaya: end jobs, connections and threads',
  callback = function()
    native.stop()
  end,
})

return native
