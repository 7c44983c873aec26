-- Everything that is said to the user goes through here. Errors, warnings and the outcome of what the user did are
-- always shown; what happens by itself only with `notify.debug`. The same words are said once per `repeat_after`
-- seconds and no more than `per_minute` in all, so that a server that fails a hundred times is one message. Only the
-- outcome of what the user did is said again when something else stands there by now, and what answers a command
-- each time. What is held back is in :HimalayaLog like the rest.

local config = require('himalaya.config')

local M = {}

---@alias himalaya.notify.Kind 'ERROR'|'WARNING'|'USER_ACTION'|'STATUS'|'BACKGROUND'

local KINDS = {
  ERROR = { level = vim.log.levels.ERROR, always = true },
  WARNING = { level = vim.log.levels.WARN, always = true },
  USER_ACTION = { level = vim.log.levels.INFO, always = true },
  STATUS = { level = vim.log.levels.INFO },
  BACKGROUND = { level = vim.log.levels.DEBUG },
}

local KEPT = 500
local BETWEEN_S = 0.05
local LEAST_ROOM = 30
local put_at = -math.huge
local total = 0
local said = {} ---@type { time_ms: integer, kind: himalaya.notify.Kind, text: string, shown: boolean }[]
local lately = {} ---@type table<string, { at: number, more: integer }> by text
local minute = { began = -math.huge, count = 0, held = 0 }
local last_shown ---@type string?

local function now()
  return vim.uv.hrtime() / 1e9
end

---@return integer since the epoch
local function milliseconds()
  local seconds, micro = vim.uv.gettimeofday()
  return seconds * 1000 + math.floor(micro / 1000)
end

---@param text string
---@param lines boolean?
local function clean(text, lines)
  if lines then
    return (text:gsub('[%z\1-\9\11-\31\127]', ' '))
  end
  return (text:gsub('[%c\127]+', ' '))
end

-- The texts of the last window are enough; all older ones are forgotten together.
---@param time number
---@param window number
local function forget(time, window)
  for text, entry in pairs(lately) do
    if time - entry.at > math.max(window, 60) then
      lately[text] = nil
    end
  end
end

---@param text string
---@param again boolean whether it may be said again so soon
---@return string? text to show now, nil when it is held back
local function limit(text, again)
  local options = config.get().notify
  local time = now()
  local entry = lately[text]
  if entry and time - entry.at < options.repeat_after and not again then
    entry.more = entry.more + 1
    return nil
  end
  local held
  if time - minute.began >= 60 then
    held = minute.held > 0 and minute.held or nil
    minute = { began = time, count = 0, held = 0 }
    forget(time, options.repeat_after)
  end
  if minute.count >= options.per_minute then
    minute.held = minute.held + 1
    return nil
  end
  minute.count = minute.count + 1
  lately[text] = { at = time, more = 0 }
  last_shown = text
  if entry and entry.more > 0 then
    text = ('%s (%d times more since)'):format(text, entry.more)
  end
  if held then
    text = ('%s (%d other messages were held back, see :HimalayaLog)'):format(text, held)
  end
  return text
end

-- As much of it as one line takes; :HimalayaLog has all of it. A line of a few words says too little.
---@param text string
---@return string
local function fit(text)
  local room = vim.v.echospace
  if vim.api.nvim_strwidth(text) <= room or room < LEAST_ROOM then
    return text
  end
  local tail = ' … :HimalayaLog'
  local width = math.max(0, room - vim.api.nvim_strwidth(tail))
  local cut = vim.fn.strcharpart(text, 0, width)
  while vim.api.nvim_strwidth(cut) > width do
    cut = vim.fn.strcharpart(cut, 0, vim.fn.strchars(cut) - 1)
  end
  return cut .. tail
end

-- Neovim's own messages stop whoever types with "Press ENTER" when there is more than a line of them at once. Each is
-- one line, unless lines were asked for; what nobody asked for comes after the one before was drawn, and where there is
-- no command line an answer comes after the command that was typed there.
---@param text string
---@param level integer
---@param opts { lines?: boolean, asked?: boolean }
local function put(text, level, opts)
  -- 0.12 keeps no names of the files that it is made of.
  local source = debug.getinfo(vim.notify, 'S').source
  if source ~= '?' and not vim.startswith(source, '@vim/_') then
    vim.notify(text, level, { title = 'himalaya' })
    return
  end
  local function now_put()
    if vim.o.cmdheight == 0 and level == vim.log.levels.ERROR then
      -- What Neovim counts as an error would stop whoever types, however short it is.
      vim.api.nvim_echo({ { text, 'ErrorMsg' } }, true, {})
    else
      vim.notify(text, level)
    end
  end
  if not (opts.lines and text:find('\n')) then
    text = fit(text)
  end
  local answers = opts.lines or opts.asked
  if answers and vim.o.cmdheight > 0 then
    put_at = math.max(put_at, now())
    return now_put()
  end
  local wait = math.max(put_at + BETWEEN_S - now(), answers and BETWEEN_S or 0)
  if wait > 0 then
    put_at = now() + wait
    vim.defer_fn(now_put, math.ceil(wait * 1000))
  else
    put_at = now()
    now_put()
  end
end

---@param text string
---@param kind himalaya.notify.Kind
---@param opts? { lines?: boolean, asked?: boolean } asked: the answer to a command
function M.say(text, kind, opts)
  if vim.in_fast_event() then
    vim.schedule(function()
      M.say(text, kind, opts)
    end)
    return
  end
  text = clean(text, opts and opts.lines)
  local how = KINDS[kind]
  local wanted = how.always or config.get().notify.debug
  local again = opts and opts.asked or kind == 'USER_ACTION' and text ~= last_shown
  local shown = wanted and limit(text, again) or nil
  total = total + 1
  said[#said + 1] = { time_ms = milliseconds(), kind = kind, text = text, shown = shown ~= nil }
  if #said > KEPT then
    table.remove(said, 1)
  end
  if shown then
    put('himalaya: ' .. shown, how.level, opts or {})
  end
end

--- Something failed.
---@param text string one sentence, and what to do next
---@param opts? { lines?: boolean, asked?: boolean }
function M.error(text, opts)
  M.say(text, 'ERROR', opts)
end

--- Something is not as it should be.
---@param text string
---@param opts? { lines?: boolean, asked?: boolean }
function M.warn(text, opts)
  M.say(text, 'WARNING', opts)
end

--- What became of something the user did.
---@param text string
function M.action(text)
  M.say(text, 'USER_ACTION')
end

--- What goes on; only with `notify.debug`.
---@param text string
function M.status(text)
  M.say(text, 'STATUS')
end

--- What goes on behind that; only with `notify.debug`.
---@param text string
function M.background(text)
  M.say(text, 'BACKGROUND')
end

--- An `err` as callbacks get it: its message and what to do next.
---@param err table
---@param doing? string what failed, "The folder could not be opened"
---@param opts? { asked?: boolean }
function M.report(err, doing, opts)
  M.error(require('himalaya.errors').sentence(err, doing), opts)
end

--- What was said or held back lately, oldest first, and how much that was since Neovim started; for :HimalayaLog.
---@return { time_ms: integer, kind: himalaya.notify.Kind, text: string, shown: boolean }[]
---@return integer total
function M.history()
  return said, total
end

return M
