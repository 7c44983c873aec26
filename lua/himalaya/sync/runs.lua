-- One call of start_sync: the accounts it is still to hear of, and the end that its caller is told once.

local errors = require('himalaya.errors')
local events = require('himalaya.events')

local M = {}

--- One call of start_sync.
--- @class (exact) himalaya.sync.Run
--- @field kind string
--- @field folder string?
--- @field accounts string[]
--- @field left integer
--- @field results table<string, table>
--- @field cb fun(err: himalaya.Error?, result: table?)
--- @field over boolean
--- @field began integer
--- @field stopping integer what is still to end before a run that was cancelled is told so

---@return integer
local function now_ms()
  return math.floor(vim.uv.hrtime() / 1e6)
end

---@param kind string
---@param folder string?
---@param accounts string[]
---@param cb fun(err?: himalaya.Error, result?: table)
---@return himalaya.sync.Run
function M.new(kind, folder, accounts, cb)
  return {
    kind = kind,
    folder = folder,
    accounts = accounts,
    left = #accounts,
    results = {},
    cb = cb,
    over = false,
    began = now_ms(),
    stopping = 0,
  }
end

---@param run himalaya.sync.Run
---@param err himalaya.Error?
function M.finish(run, err)
  run.over = true
  local data = { kind = run.kind, accounts = run.accounts, folder = run.folder }
  if err and err.code == 'cancelled' then
    events.emit('HimalayaSyncCancelled', data)
  elseif err then
    data.err = err
    events.emit('HimalayaSyncFailed', data)
  else
    data.accounts = run.results
    data.duration_ms = now_ms() - run.began
    events.emit('HimalayaSynced', data)
  end
  -- In a turn of its own: what a callback raises, or waits for, stops nobody else's sync.
  local result = not err and { accounts = run.results } or nil
  local native = package.loaded['himalaya.native']
  if native then
    native.loop.complete(run.cb, err, result)
  else
    vim.schedule(function()
      run.cb(err, result)
    end)
  end
end

---@param run himalaya.sync.Run
---@param account string
---@param result table
function M.account_done(run, account, result)
  if run.over then
    return
  end
  run.results[account] = result
  run.left = run.left - 1
  if run.left > 0 then
    return
  end
  local err
  for _, each in pairs(run.results) do
    if not each.err then
      return M.finish(run, nil)
    end
    err = each.err
  end
  M.finish(run, err)
end

--- One less to wait for.
---@param run himalaya.sync.Run
function M.stopped(run)
  run.stopping = run.stopping - 1
  if run.stopping == 0 then
    M.finish(run, errors.new('cancelled', 'The sync was cancelled.'))
  end
end

return M
