-- The chapters of doc/himalaya.txt. What is described in a table of lua/himalaya comes from there; only what no
-- table can say is written here.

local api = require('api')
local layout = require('layout')
local screen = require('screen')

local M = {}

local INTRODUCTION = [[
Mail inside Neovim that never makes the editor wait. A native module lives on Neovim's own event loop and
does the work: a queue of jobs, an IMAP client, a store on this machine, and the sync between them. The Lua
around it is thin and only draws, maps keys and calls.

Nothing runs at start but a file that names the commands (|himalaya-commands|). The native module is loaded
when it is first needed.
]]

local REQUIREMENTS = [[
Neovim 0.10 or newer, on Linux or macOS. The native module is built once by `./scripts/build`, which says
what it needs and where to get it. |himalaya-health| shows whether all is there.
]]

local SETUP = [[
Let your plugin manager run `./scripts/build` after each update; then call |himalaya.setup()|. It only takes
note of your options, so it may be called at any time and again; each call begins with the defaults.
]]

local SETUP_EXAMPLE = [[
require('himalaya').setup({
  accounts = {
    home = {
      email = 'someone@example.org',
      imap = {
        host = 'imap.example.org',
        auth = {
          type = 'password',
          command = { 'pass', 'show', 'mail/home' },
        },
      },
    },
  },
})
]]

local MISTAKES = [[
A key that is not known, or a value of another kind, is told once with its path and the nearest right key;
the rest of your options works. A password that is written as `auth.value` is locked away at once and never
shown again.
]]

---@param value any
---@return string
local function shown(value)
  if type(value) == 'string' then
    return "'" .. value .. "'"
  elseif type(value) == 'table' and next(value) == nil then
    return '{}'
  end
  return tostring(value)
end

---@param option himalaya.config.Option
---@return string
local function default_of(option)
  if option.shown then
    return option.shown
  elseif option.required then
    return 'none, it must be given'
  elseif option.alias then
    return '`' .. option.alias .. '`'
  end
  return option.default == nil and 'none' or shown(option.default)
end

-- What a user puts in place of each `*`. A tag cannot hold a star.
local NAMES = { accounts = { '<name>' }, keymaps = { '<view>', '<key>' } }

---@param path string
---@return string
local function readable(path)
  local names = vim.deepcopy(NAMES[path:match('^[^.]+')] or {})
  return (path:gsub('%*', function()
    return table.remove(names, 1)
  end))
end

---@param option himalaya.config.Option
---@return string
local function option_entry(option)
  local kind = '`' .. option.type .. '`'
  if option.minimum and option.maximum then
    kind = ('%s, %s to %s'):format(kind, option.minimum, option.maximum)
  elseif option.minimum then
    kind = ('%s, at least %s'):format(kind, option.minimum)
  end
  local later = require('himalaya.config.schema').later(option)
  return layout.tagged(readable(option.path), 'himalaya-' .. readable(option.path))
    .. '\n'
    .. layout.wrap(option.desc, 4)
    .. '\n'
    .. layout.wrap('Type: ' .. kind, 4)
    .. '\n'
    .. layout.wrap(('Default: %s (since %s)'):format(default_of(option), option.since), 4)
    .. (
      later
        and '\n' .. layout.wrap(('Takes effect with a later version, which brings %s.'):format(later), 4)
      or ''
    )
end

---@return string[]
local function options()
  local out = {
    layout.chapter('Options', 'himalaya-options'),
    layout.prose(
      'A word in `<>` stands for one of your choice. Paths may begin with `~` and hold `$VARIABLES`.'
    ),
  }
  for _, group in ipairs(require('himalaya.config.schema').groups) do
    out[#out + 1] = '\n' .. group.title:upper() .. ' ~\n'
    out[#out + 1] = layout.prose(group.text) .. '\n'
    for _, option in ipairs(group.options) do
      out[#out + 1] = option_entry(option) .. '\n'
    end
  end
  return out
end

---@return string[]
local function commands()
  local out = { layout.chapter('Commands', 'himalaya-commands') }
  for _, row in ipairs(require('himalaya.commands').table) do
    local left = ':' .. row.name .. (row.args and ' ' .. row.args or '')
    out[#out + 1] = layout.tagged(left, ':' .. row.name) .. '\n' .. layout.wrap(row.desc, 4) .. '\n'
  end
  return out
end

---@return string[]
local function keys()
  local keymaps = require('himalaya.keymaps')
  local out = {
    layout.chapter('Keys', 'himalaya-keys'),
    layout.prose(
      'Each key below is the default for a <Plug> map of its buffer, `<Plug>(himalaya-VIEW-ACTION)`. '
        .. 'Change them with `keymaps`:'
    )
      .. '\n'
      .. layout.code("keymaps = { jobs = { ['<C-x>'] = 'cancel', x = false } }"),
  }
  for _, view in ipairs(keymaps.views) do
    out[#out + 1] = layout.tagged(view.title:upper() .. ' ~', 'himalaya-keys-' .. view.name) .. '\n'
    local tagged = {}
    for _, row in ipairs(view.keys) do
      local modes = row.modes and ' (' .. table.concat(row.modes, ', ') .. ')' or ''
      local left = ('  %-13s `%s`%s'):format(row.key, row.action, modes)
      local tag = ('<Plug>(himalaya-%s-%s)'):format(view.name, row.action)
      out[#out + 1] = tagged[tag] and left or layout.tagged(left, tag)
      out[#out + 1] = layout.wrap(row.desc .. '.', 16)
      tagged[tag] = true
    end
    out[#out + 1] = ''
  end
  out[#out + 1] = layout.tagged('EVERYWHERE ~', 'himalaya-plug') .. '\n'
  for _, row in ipairs(keymaps.plugs) do
    out[#out + 1] = layout.tagged('  ' .. row.desc .. '.', row.plug)
  end
  out[#out + 1] = ''
  return out
end

---@return string[]
local function events()
  local out = {
    layout.chapter('Events', 'himalaya-events'),
    layout.prose("|User| autocommands; what happened is in `data` of the callback's argument:")
      .. '\n'
      .. layout.code([[
vim.api.nvim_create_autocmd('User', {
  pattern = 'HimalayaNewMail',
  callback = function(event)
    vim.notify(event.data.count .. ' new in ' .. event.data.folder)
  end,
})]]),
  }
  for _, event in ipairs(require('himalaya.events').table) do
    out[#out + 1] = layout.tagged(event.name, event.name)
    out[#out + 1] = layout.wrap(event.desc, 4)
    vim.list_extend(out, layout.fields(event.data))
    out[#out + 1] = ''
  end
  return out
end

---@return string[]
local function highlights()
  if not api.source_of('himalaya.ui.highlights') then
    return {}
  end
  local out = {
    layout.chapter('Highlights', 'himalaya-highlights'),
    layout.prose('Each is linked to a standard group unless you or your colours define it.') .. '\n',
  }
  for _, row in ipairs(require('himalaya.ui.highlights').table) do
    out[#out + 1] = layout.tagged(row.name, 'hl-' .. row.name)
    out[#out + 1] = layout.wrap(('%s. Linked to `%s`.'):format(row.desc, row.link), 4)
  end
  out[#out + 1] = ''
  return out
end

---@return string[]
local function errors()
  local out = {
    layout.chapter('Errors', 'himalaya-errors'),
    layout.prose(
      'An `err` has `code`, `message` (one sentence, also what tostring() gives), `hint` (what to do '
        .. 'next), `retryable` '
        .. '(whether it may pass by itself) and sometimes `detail`. The codes:'
    ) .. '\n',
  }
  for _, row in ipairs(require('himalaya.errors').codes) do
    out[#out + 1] =
      layout.entry('  ' .. row[1], row[2] .. (row.retryable and ' May pass by itself.' or ''), 18)
  end
  out[#out + 1] = ''
  return out
end

local HEALTH = [[
`:checkhealth himalaya` looks at the real things: which native module is loaded, from where and with which
libraries, which programs are found, what is wrong with the options, and whether the store's folder can be
written and is on a disk of this machine. Each finding says what to do.

|:HimalayaLog| shows what happened, and |:HimalayaJobs| what waits and runs. Neither ever shows a password.
]]

local BOTH_SIDES = [[
What you do is seen at once and carried to the server as soon as that can be reached. When the same mail was
changed there meanwhile:

Flags and keywords: those that you changed are as you wanted them, those that you did not touch are the
server's.

Moves: a message that has left its folder on the server stays where it went. One that is not on the server
any more is gone here too.

Deletions: a message that another program expunged is gone; that is no error. Nothing is deleted here
because something is only missing on the server: more than 20 messages, and more than a fifth of their
folder, wait for your yes (|:HimalayaSyncInfo|), while new mail and flags go on.

A folder that was made anew on the server: its messages are recognised by their Message-ID (else by size and
subject), keep what you did to them and what waits; what the new folder does not have is gone. A move out of
it that cannot be carried out any more ends with a sentence about it.

What the server refuses is put back as it was, with the server's words. What was sent and never answered is
looked for before it is sent again. `undo` takes back the last action of this Neovim; deleting for good can be
undone for ten seconds.
]]

---@return string[]
local function both_sides()
  return {
    layout.chapter('Changes on both sides', 'himalaya-both-sides'),
    layout.prose(BOTH_SIDES),
    '',
  }
end

local CONTENTS = {
  { 'Introduction', 'himalaya-introduction' },
  { 'Requirements', 'himalaya-requirements' },
  { 'Set-up', 'himalaya-setup' },
  { 'Options', 'himalaya-options' },
  { 'Commands', 'himalaya-commands' },
  { 'Keys', 'himalaya-keys' },
  { 'The screen', 'himalaya-screen' },
  { 'Functions', 'himalaya-functions' },
  { 'Changes on both sides', 'himalaya-both-sides' },
  { 'Events', 'himalaya-events' },
  { 'Highlights', 'himalaya-highlights', module = 'himalaya.ui.highlights' },
  { 'Errors', 'himalaya-errors' },
  { 'When something is wrong', 'himalaya-health' },
}

---@return string
function M.help()
  local out =
    { '*himalaya.txt*  Mail that never makes the editor wait', '', layout.tagged('CONTENTS', 'himalaya'), '' }
  local number = 0
  for _, row in ipairs(CONTENTS) do
    if not row.module or api.source_of(row.module) then
      number = number + 1
      local link = '|' .. row[2] .. '|'
      local left = ('%2d. %s '):format(number, row[1])
      out[#out + 1] = left .. ('.'):rep(layout.WIDTH - #left - #link - 1) .. ' ' .. link
    end
  end
  out[#out + 1] = ''
  vim.list_extend(
    out,
    { layout.chapter('Introduction', 'himalaya-introduction'), layout.prose(INTRODUCTION), '' }
  )
  vim.list_extend(
    out,
    { layout.chapter('Requirements', 'himalaya-requirements'), layout.prose(REQUIREMENTS), '' }
  )
  vim.list_extend(out, {
    layout.chapter('Set-up', 'himalaya-setup'),
    layout.prose(SETUP),
    layout.code(SETUP_EXAMPLE),
    layout.prose(MISTAKES),
    '',
  })
  for _, chapter in ipairs({
    options,
    commands,
    keys,
    screen.chapter,
    api.chapter,
    both_sides,
    events,
    highlights,
    errors,
  }) do
    vim.list_extend(out, chapter())
  end
  vim.list_extend(
    out,
    { layout.chapter('When something is wrong', 'himalaya-health'), layout.prose(HEALTH), '' }
  )
  out[#out + 1] = 'vim:tw=78:ts=8:noet:ft=help:norl:'
  return table.concat(out, '\n') .. '\n'
end

return M
