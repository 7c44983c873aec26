-- Programs as jobs: one queue for all of them, with priorities, time limits, retries and cancelling. The queue itself
-- is in C++ (cpp/jobs); here are its words for users and what comes from the options.

local config = require('himalaya.config')
local tell = require('himalaya.tell')

local M = {}

---@alias himalaya.Priority 'user'|'ui'|'background'

---@class (exact) himalaya.JobOptions
---@field timeout? number ms for each attempt
---@field deadline? number ms for all of it, waiting included
---@field retries? integer further attempts after one that failed or timed out; 0
---@field backoff? number ms before the first of them, twice as long before each next; 500
---@field grace? number ms between SIGTERM and SIGKILL; 2000
---@field cwd? string
---@field env? table<string, string> on top of our environment
---@field stdin? string|string[] the bytes, or lines
---@field max_output? integer bytes of stdout, and of stderr, beyond which it is ended; 64 MiB
---@field key? string jobs of one key run one at a time
---@field coalesce? boolean join a job of the same key that has not ended, and share its result; needs `key`
---@field name? string what :HimalayaJobs calls it
---@field on_stdout? fun(line: string) each line as it comes

---@class (exact) himalaya.JobResult
---@field code integer
---@field signal integer 0 when it ended by itself
---@field stdout string
---@field stderr string
---@field attempts integer
---@field queued_ms number until its first attempt
---@field duration_ms number its attempts together

---@class (exact) himalaya.JobStatus
---@field queued { user: integer, ui: integer, background: integer }
---@field running integer
---@field completed integer
---@field failed integer
---@field cancelled integer
---@field timed_out integer
---@field retried integer

---@alias himalaya.JobCallback fun(err?: himalaya.Error, result?: himalaya.JobResult)

---@class himalaya.JobHandle
---@field id integer|string
---@field package over boolean
---@field package closers fun()[]
local Handle = {}
Handle.__index = Handle

-- Of a batch so many commands are checked and so many submitted in the call itself; the rest follows in steps, each an
-- event of its own, so that ten thousand take as many turns of the loop as they need. A step costs some 30 us.
local CHECKED, FIRST, STEP = 200, 32, 8

local batches = {} ---@type table<string, himalaya.JobHandle>
local batch_count = 0
local applied ---@type table? the options the native queue knows

local function errors()
  return require('himalaya.errors')
end

---@return himalaya.native.Jobs
local function queue()
  local jobs = require('himalaya.native').jobs
  local options = config.get()
  if applied ~= options then
    applied = options
    jobs.configure({
      max_concurrent = options.async.max_concurrent_commands,
      secrets = config.secret_env(),
      background_yields = options.async.background_priority,
    })
  end
  return jobs
end

config.watch('himalaya.core.async_commands', function()
  if package.loaded['himalaya.native'] then
    queue()
  end
end)

--- Ends the job; its callback comes with the code `cancelled` once nothing of it is left.
---@return boolean alive true if it had not ended
function Handle:cancel()
  return M.cancel_job(self.id)
end

--- Ends the job and calls `cb` when it has ended, after the job's own callback.
---@param cb? fun()
function Handle:close(cb)
  if cb ~= nil and type(cb) ~= 'function' then
    error('cb: expected a function, got ' .. type(cb), 2)
  end
  if self.over then
    if cb then
      vim.schedule(cb)
    end
    return
  end
  self.closers[#self.closers + 1] = cb
  self:cancel()
end

---@param handle himalaya.JobHandle
local function ended(handle)
  handle.over = true
  for _, closer in ipairs(handle.closers) do
    vim.schedule(closer)
  end
end

---@return himalaya.JobHandle
local function new_handle()
  return setmetatable({ over = false, closers = {} }, Handle)
end

--- Of a `program` that is given `argv` holds the arguments only.
---@return himalaya.JobHandle
local function submit(argv, opts, cb, priority, program)
  local handle = new_handle()
  local wrapped = cb
  if type(cb) == 'function' then
    wrapped = function(err, result)
      ended(handle)
      tell(cb, err, result)
    end
  end
  -- An error about an argument already says whose it is; the position added is the caller's of the public function.
  local ok, id = pcall(queue().submit, argv, opts, wrapped, priority, program)
  if not ok then
    error(id, 3)
  end
  handle.id = id
  return handle
end

--- Runs the himalaya program (option `binaries.himalaya`) with `args`, at the priority `user`.
---@param args string[]
---@param opts? himalaya.JobOptions
---@param cb himalaya.JobCallback
---@return himalaya.JobHandle
function M.execute_async(args, opts, cb)
  return submit(args, opts, cb, 'user', config.get().binaries.himalaya)
end

--- Runs any program. Priority `user` when none is given.
---@param argv string[]
---@param opts? himalaya.JobOptions
---@param cb himalaya.JobCallback
---@param priority? himalaya.Priority
---@return himalaya.JobHandle
function M.queue_command(argv, opts, cb, priority)
  return submit(argv, opts, cb, priority)
end

--- True if the job, or the batch, had not ended. Once it has ended its callback comes with the code `cancelled`.
---@param id integer|string
---@return boolean
function M.cancel_job(id)
  if type(id) == 'string' and batches[id] then
    return batches[id]:cancel()
  end
  -- A batch that has ended is forgotten, as an ended job is.
  if type(id) == 'string' and id:find('^batch%-%d+$') then
    return false
  end
  if type(id) ~= 'number' then
    error('id: expected the id of a job, got ' .. type(id), 2)
  end
  return queue().cancel(id)
end

---@class himalaya.BatchCommand
---@field argv string[]
---@field opts? himalaya.JobOptions
---@field priority? himalaya.Priority

---@class (exact) himalaya.BatchOutcome
---@field err? himalaya.Error
---@field result? himalaya.JobResult

---@param commands himalaya.BatchCommand[]
---@return integer count
local function check_batch(commands, cb)
  local ok, count = pcall(queue().check_batch, commands, cb, CHECKED)
  if not ok then
    error(count, 3)
  end
  return count
end

--- Runs many and calls back once, when all have ended: `cb(nil, { { err=, result= }, ... })` in the order given. One
--- failure does not stop the others.
---
--- However many they are, none of it holds up the editor: what does not fit into this turn of the loop is submitted in
--- the next ones, so `commands` must not change until then. What is wrong with the list or one of its first 200
--- commands raises at once; what is wrong with a later one is that command's `err`, with the code `invalid`.
---@param commands himalaya.BatchCommand[]
---@param cb fun(err: nil, outcomes: himalaya.BatchOutcome[])
---@return himalaya.JobHandle
function M.execute_batch(commands, cb)
  local count = check_batch(commands, cb)
  local native = require('himalaya.native')
  local jobs, group = native.jobs, native.jobs.group()
  batch_count = batch_count + 1
  local handle = new_handle()
  handle.id = 'batch-' .. batch_count
  batches[handle.id] = handle
  local outcomes, left, submitted, stopped = {}, count, 0, false

  local function finish()
    batches[handle.id] = nil
    ended(handle)
    tell(cb, nil, outcomes)
  end

  local function outcome(i, err, result)
    outcomes[i] = { err = err, result = result }
    left = left - 1
    if left == 0 then
      finish()
    end
  end

  local function submit_one(i)
    if stopped then
      outcome(i, errors().new('cancelled', 'The batch was cancelled.'))
      return
    end
    local ok, problem = pcall(jobs.submit_command, commands, i, function(err, result)
      outcome(i, err, result)
    end, group)
    if not ok then
      outcome(i, errors().new('invalid', tostring(problem)))
    end
  end

  local function submit_some(most)
    local last = math.min(submitted + most, count)
    while submitted < last do
      submitted = submitted + 1
      submit_one(submitted)
    end
    if submitted < count then
      native.loop.complete(submit_some, STEP)
    end
  end

  function handle.cancel()
    if handle.over then
      return false
    end
    stopped = true
    jobs.cancel_group(group)
    return true
  end

  if count == 0 then
    native.loop.complete(finish)
  else
    submit_some(FIRST)
  end
  return handle
end

--- Nothing starts any more, in no lane, until resume(); what runs goes on, what waits may still be cancelled or run out
--- of its time.
function M.pause()
  queue().pause()
end

--- Ends a pause(). Fine when there was none.
function M.resume()
  queue().resume()
end

--- How many jobs wait in each lane, run, and have ended in which way since Neovim started.
---@return himalaya.JobStatus
function M.status()
  return queue().status()
end

return M
