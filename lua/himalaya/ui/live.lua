-- What the views hear from: commits of the stores and changes of sync, passed on as they come or, where they come in
-- crowds, a few times a second. Ages such as `12m ago` are looked at once a minute.

local M = {}

---@class (exact) himalaya.Listener
---@field news? fun(account: string, news: table) after a commit
---@field sync? fun() sync or an account's state changed, or a minute went by
---@field setup? fun() the options are others now

local SYNC_MS = 100
local MINUTE_MS = 60000

local listeners = {} ---@type table<integer, himalaya.Listener>
local last = 0
local started = false
local due = false

-- Marks the statuslines, for Neovim to draw with the rest; `:redrawstatus` would draw everything at once.
local function redraw_statusline()
  local statusline = package.loaded['himalaya.statusline']
  if statusline and statusline.is_stale() then
    vim.api.nvim__redraw({ statusline = true, flush = false })
  end
end

-- Each view by itself: what they draw together may be more than one turn of the loop.
---@param what 'sync'|'news'
local function tell_each(what, ...)
  local native = package.loaded['himalaya.native']
  for id, listener in pairs(listeners) do
    if listener[what] and native then
      native.loop.complete(function(...)
        if listeners[id] then
          native.loop.tell(listener[what], ...)
        end
      end, ...)
    elseif listener[what] then
      listener[what](...)
    end
  end
end

local function tell_sync()
  due = false
  tell_each('sync')
  redraw_statusline()
end

-- What Neovim's timers and autocommands start is counted as ours like every callback.
---@param fn fun()
local function counted(fn)
  local native = package.loaded['himalaya.native']
  if native then
    native.loop.enter(fn)
  else
    fn()
  end
end

local function sync_changed()
  if not due then
    due = true
    vim.defer_fn(function()
      counted(tell_sync)
    end, SYNC_MS)
  end
end

-- setup() itself costs nothing: what is shown is looked at a turn later.
local function tell_setup()
  for _, listener in pairs(vim.tbl_extend('force', {}, listeners)) do
    if listener.setup then
      listener.setup()
    end
  end
end

local function start()
  started = true
  require('himalaya.config').watch('himalaya.ui', function()
    vim.schedule(tell_setup)
  end)
  require('himalaya.mail.home').subscribe(function(account, news)
    tell_each('news', account, news)
    sync_changed()
  end)
  -- Loaded when the first list was asked for; what a sync is at is painted with that list's messages.
  vim.schedule(function()
    require('himalaya.sync.manager').on_change(sync_changed)
  end)
  assert(vim.uv.new_timer()):start(MINUTE_MS, MINUTE_MS, sync_changed)
end

--- Listens until the function it gives is called.
---@param listener himalaya.Listener
---@return fun() stop
function M.listen(listener)
  if not started then
    start()
  end
  last = last + 1
  local id = last
  listeners[id] = listener
  return function()
    listeners[id] = nil
  end
end

M.counted = counted

return M
