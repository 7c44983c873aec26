-- What get_sync_status() says: gathered from the tasks under way, from what another Neovim does for this one, and from
-- sources written outside. No I/O, a few table reads per account.

local endings = require('himalaya.sync.endings')
local tasks = require('himalaya.sync.tasks')

local M = {}

--- Progress of a source outside, as update_progress() got it.
M.outside = nil ---@type himalaya.OutsideProgress?

--- Adds what update_progress() was given to what it was given before.
---@param progress himalaya.OutsideProgress
function M.update_outside(progress)
  local before = M.outside or { started_at = os.time() }
  M.outside = vim.tbl_extend('force', before, progress)
  if before.percent and progress.percent then
    M.outside.percent = math.max(before.percent, progress.percent)
  end
end

local shown_percent, shown_batch = 0, 0

---@param account string
---@return table? standing
local function standing_of(account)
  if require('himalaya.mail.home').is_open(account) then
    return require('himalaya.native').mail.standing(account)
  end
end

--- The sum over accounts; percent is that of the one that is furthest behind.
---@param status table
---@param standings table[]
local function add_up(status, standings)
  local percent, eta
  for _, standing in ipairs(standings) do
    status.operation = status.operation or (standing.operation ~= '' and standing.operation or nil)
    status.folder = status.folder or (standing.folder ~= '' and standing.folder or nil)
    status.messages_done = status.messages_done + standing.done
    status.messages_total = status.messages_total + standing.total
    status.bytes = status.bytes + standing.bytes
    status.led_by = status.led_by or standing.led_by
    percent = math.min(percent or 100, standing.percent or 0)
    eta = standing.eta_seconds and math.max(eta or 0, standing.eta_seconds) or eta
  end
  if status.messages_total > 0 and percent and percent > 0 then
    -- It never runs backwards while something is under way.
    shown_percent = shown_batch == tasks.batch and shown_percent or 0
    shown_batch = tasks.batch
    shown_percent = math.max(shown_percent, math.min(percent, 99))
    status.percent = shown_percent
  end
  status.eta_seconds = eta
end

--- What this Neovim does for another one, of which no task here knows.
---@param status table
local function add_service(status)
  local standings = {}
  for _, name in ipairs(require('himalaya.config').account_names()) do
    local standing = standing_of(name)
    if standing then
      status.led_by = status.led_by or standing.led_by
      if standing.syncing then
        table.insert(standings, standing)
        table.insert(status.accounts, name)
      end
    end
  end
  if #standings > 0 then
    status.state = 'syncing'
    add_up(status, standings)
  else
    shown_percent = 0
  end
end

--- @class (exact) himalaya.SyncStatus
--- @field state 'idle'|'queued'|'syncing'|'cancelling'|'backoff'|'external' external: another Neovim, or a source
---   written outside, does what was asked for
--- @field kind? 'inbox'|'full'|'folder'
--- @field accounts string[] whose
--- @field folder? string
--- @field operation? string
--- @field percent? integer never runs backwards while a sync lasts; 100 is never said, as only its end is certain
--- @field messages_done integer
--- @field messages_total integer
--- @field bytes integer read and written by what runs now
--- @field eta_seconds? integer once enough was seen to guess it
--- @field started_at? integer epoch
--- @field cancellable boolean
--- @field last_sync? integer epoch
--- @field last_error? himalaya.Error the latest that no success of the same account has followed
--- @field next_sync? integer epoch
--- @field led_by? string the instance that leads, where that is another Neovim

---@return himalaya.SyncStatus
function M.get()
  local auto = package.loaded['himalaya.sync.auto']
  local status = {
    state = 'idle',
    accounts = {},
    messages_done = 0,
    messages_total = 0,
    bytes = 0,
    cancellable = false,
    last_sync = endings.last_sync,
    last_error = endings.last_error(),
    next_sync = auto and auto.next_at() or nil,
  }
  if M.outside and #tasks.list == 0 then
    local accounts = { M.outside.account }
    return vim.tbl_extend('force', status, M.outside, { state = 'external', accounts = accounts })
  end
  if #tasks.list == 0 then
    status.state = status.last_error and auto and auto.is_backing_off() and 'backoff' or 'idle'
    add_service(status)
    return status
  end
  local first = tasks.list[1]
  status.kind, status.cancellable, status.started_at = first.kind, true, tasks.started_at
  local standings, known, elsewhere = {}, {}, 0
  for _, task in ipairs(tasks.list) do
    if not known[task.account] then
      known[task.account] = true
      table.insert(status.accounts, task.account)
      local standing = task.op and standing_of(task.account)
      if standing then
        table.insert(standings, standing)
        elsewhere = elsewhere + (standing.elsewhere and 1 or 0)
      end
    end
  end
  add_up(status, standings)
  local failure, again_at = tasks.trying_again()
  if tasks.cancelling() then
    status.state = 'cancelling'
  elseif failure then
    status.state, status.last_error, status.next_sync = 'backoff', failure, again_at
  elseif elsewhere > 0 and elsewhere == #standings then
    status.state = 'external'
  else
    status.state = tasks.running() > 0 and 'syncing' or 'queued'
  end
  return status
end

--- The short form.
---@return { type: string?, status: string, progress: table }
function M.info()
  local status = M.get()
  return {
    type = status.kind,
    status = status.state,
    progress = {
      operation = status.operation,
      folder = status.folder,
      percent = status.percent,
      messages_done = status.messages_done,
      messages_total = status.messages_total,
    },
  }
end

return M
