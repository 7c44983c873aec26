-- needs dovecot
-- What stands in the cells of the screen: the pictures of a list as wide windows show it and narrow ones, and the
-- colours of their groups on a light background and a dark one.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')
local uis = require('tests.ui')

local dovecot ---@type table
local nvim ---@type table

local function start(opts)
  nvim = screens.start(dovecot, opts)
  nvim.open()
  nvim.sync()
end

-- The whole screen, cell by cell, as a picture to look at; ages and sync lines are left out.
local PICTURES = {}

PICTURES[60] = [[
▾ home        4│Himalaya - home@example.org - INBOX
    INBOX     4│Page 1 / 1 | 4 emails, 4 unread
    Drafts     │
    Sent       │[ ]  • Biblioth… Horaires d'été     @   2001
    Archive    │[ ]  • (no send… (no subject)           2001
    Junk       │[ ]  • 図書館    開館時間               2000
    Trash      │[ ]  • Ann       Lunch                  2000
~              │                                     ?:help]]

PICTURES[100] = [[
▾ home                  4│Himalaya - home@example.org - INBOX
    INBOX               4│Page 1 / 1 | 4 emails, 4 unread
    Drafts               │
    Sent                 │[ ]  • Bibliothèque     Horaires d'été                      @   1 Feb 2001
    Archive              │[ ]  • (no sender)      (no subject)                            1 Jan 2001
    Junk                 │[ ]  • 図書館           開館時間                                2 Jan 2000
    Trash                │[ ]  • Ann              Lunch                                   1 Jan 2000
~                        │                                                                   ?:help]]

-- luacheck: push ignore 631
PICTURES[200] = [[
▾ home                       4│Himalaya - home@example.org - INBOX
    INBOX                    4│Page 1 / 1 | 4 emails, 4 unread
    Drafts                    │
    Sent                      │[ ]  • Bibliothèque                     Horaires d'été                                                                                           @   358 2001-02-01 12:00
    Archive                   │[ ]  • (no sender)                      (no subject)                                                                                                 188 2001-01-01 12:00
    Junk                      │[ ]  • 図書館                           開館時間                                                                                                     228 2000-01-02 12:00
    Trash                     │[ ]  • Ann                              Lunch                                                                                                        214 2000-01-01 12:00
~                             │                                                                                                                                                                  ?:help]]
-- luacheck: pop

-- The same cells as colours: a letter for each group, `-` for a blank in the line of a cursor, whose text is in small
-- letters, and ` ` for a blank elsewhere.
local COLOURS = {}
COLOURS[60] = [[
a-aaaa--------nLTTTTTTTT T TTTTTTTTTTTTTTTT T TTTTT
    CCCCC     NLHHHH H H H H H HHHHHHH H HHHHHH
    RRRRRR     L
    RRRR       Lo-o--u-sssssssss-uuuuuuuu-uuuuu-----f---dddd
    RRRRRRR    LO O  U SSS SSSSS UUU UUUUUUUU           DDDD
    RRRR       LO O  U SSSSSS    UUUUUUUU               DDDD
    RRRRR      LO O  U SSS       UUUUU                  DDDD
E              L                                     KKKKKK]]
COLOURS[100] = [[
a-aaaa------------------nLTTTTTTTT T TTTTTTTTTTTTTTTT T TTTTT
    CCCCC               NLHHHH H H H H H HHHHHHH H HHHHHH
    RRRRRR               L
    RRRR                 Lo-o--u-ssssssssssss-----uuuuuuuu-uuuuu----------------------f---d-ddd-dddd
    RRRRRRR              LO O  U SSS SSSSSSS      UUU UUUUUUUU                            D DDD DDDD
    RRRR                 LO O  U SSSSSS           UUUUUUUU                                D DDD DDDD
    RRRRR                LO O  U SSS              UUUUU                                   D DDD DDDD
E                        L                                                                   KKKKKK]]
-- luacheck: push ignore 631
COLOURS[200] = [[
a-aaaa-----------------------nLTTTTTTTT T TTTTTTTTTTTTTTTT T TTTTT
    CCCCC                    NLHHHH H H H H H HHHHHHH H HHHHHH
    RRRRRR                    L
    RRRR                      Lo-o--u-ssssssssssss---------------------uuuuuuuu-uuuuu-------------------------------------------------------------------------------------------f---zzz-dddddddddd-ddddd
    RRRRRRR                   LO O  U SSS SSSSSSS                      UUU UUUUUUUU                                                                                                 ZZZ DDDDDDDDDD DDDDD
    RRRR                      LO O  U SSSSSS                           UUUUUUUU                                                                                                     ZZZ DDDDDDDDDD DDDDD
    RRRRR                     LO O  U SSS                              UUUUU                                                                                                        ZZZ DDDDDDDDDD DDDDD
E                             L                                                                                                                                                                  KKKKKK]]
-- luacheck: pop

local GROUPS = {
  T = 'HimalayaTitle',
  H = 'HimalayaHeader',
  A = 'HimalayaAccount',
  C = 'HimalayaFolderCurrent',
  R = 'HimalayaFolderRole',
  N = 'HimalayaCount',
  S = 'HimalayaFrom',
  U = 'HimalayaUnread',
  D = 'HimalayaDate',
  Z = 'HimalayaSize',
  F = 'HimalayaAttachment',
  K = 'HimalayaKey',
  O = 'Normal',
  L = 'WinSeparator',
  E = 'EndOfBuffer',
}

--- What a person sees of a group, or of a cell whose colours are `colour`.
---@param ui tests.Ui
---@param colour table
---@return string
local function look_of(ui, colour)
  local fg = colour.fg or colour.foreground or ui.default.foreground
  local bg = colour.bg or colour.background or ui.default.background
  if colour.reverse then
    fg, bg = bg, fg
  end
  return ('%s %s%s%s'):format(fg, bg, colour.bold and ' bold' or '', colour.underline and ' underlined' or '')
end

--- The groups as they are now, by their letters; small letters for those in the line of a cursor.
---@param ui tests.Ui
---@return table<string, string>
local function looks_of_groups(ui)
  local looks = {}
  local found = nvim.lua(function(names)
    local groups = { CursorLine = vim.api.nvim_get_hl(0, { name = 'CursorLine', link = false }) }
    for letter, name in pairs(names) do
      groups[letter] = vim.api.nvim_get_hl(0, { name = name, link = false })
    end
    return groups
  end, GROUPS)
  for letter in pairs(GROUPS) do
    local group = found[letter]
    looks[letter] = look_of(ui, group)
    local plain = group.bg == nil or group.bg == ui.default.background
    local lined = vim.tbl_extend('force', group, plain and { bg = found.CursorLine.bg } or {})
    looks[letter:lower()] = look_of(ui, lined)
  end
  looks[' '] = look_of(ui, {})
  looks['-'] = look_of(ui, { bg = found.CursorLine.bg })
  return looks
end

--- The first lines of the screen as a picture of colours: the letter that stands in `expected` where the cell looks
--- like its group, any other that it looks like, else `?`.
---@param ui tests.Ui
---@param expected string[]
---@param looks table<string, string> of groups
---@return string[]
local function colours_of(ui, expected, looks)
  local lines = {}
  for row = 1, #expected do
    local line = {}
    for column = 1, ui.columns do
      local cell, wanted = ui.cell(row, column), expected[row]:sub(column, column)
      local colour = ui.colours[cell[2]] or {}
      local look = look_of(ui, colour)
      if cell[1] == '' then
        line[column] = wanted -- the second half of a wide letter
      elseif cell[1] == ' ' and not colour.underline and not colour.reverse then
        local ground = '^%S+ (%S+)'
        line[column] = look:match(ground) == looks['-']:match(ground) and '-' or ' '
      elseif looks[wanted] == look then
        line[column] = wanted
      else
        line[column] = '?'
        for letter, each in pairs(looks) do
          if each == look and letter:match('%a') then
            line[column] = letter
          end
        end
      end
    end
    lines[row] = (table.concat(line):gsub(' +$', ''))
  end
  return lines
end

describe('the cells', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 0 })
    local function on(day, message)
      message.date = day .. ' 12:00:00 +0000'
      message.id = ('<%s@example.org>'):format(day:gsub('%W', ''))
      screens.deliver(dovecot, message)
    end
    on('Sat, 1 Jan 2000', { subject = 'Lunch', from = 'Ann <ann@example.org>' })
    on('Sun, 2 Jan 2000', { subject = '開館時間', from = '図書館 <desk@example.org>' })
    on('Mon, 1 Jan 2001', { subject = '', from = '' })
    on('Thu, 1 Feb 2001', {
      subject = "Horaires d'été",
      from = 'Bibliothèque <desk@example.org>',
      headers = 'Content-Type: multipart/mixed; boundary=b',
      body = '--b\nContent-Type: text/plain\n\nsee\n--b\nContent-Type: text/csv\n'
        .. 'Content-Disposition: attachment; filename=x.csv\n\n1\n--b--',
    })
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  for _, columns in ipairs({ 60, 100, 200 }) do
    for _, background in ipairs({ 'light', 'dark' }) do
      it(('are these in %d columns, %s'):format(columns, background), function()
        start({ columns = columns, lines = 20, setup = { sync = { auto = false } } })
        nvim.cmd('set background=' .. background)
        local expected = vim.split(PICTURES[columns], '\n')
        local shown
        local ok = pcall(nvim.wait_for, function()
          shown = nvim.screen()
          for at, line in ipairs(expected) do
            -- Ages and sync lines come and go.
            if at ~= 3 and shown[at]:gsub(' %(just now%)', ''):gsub(' %(%d+m ago%)', '') ~= line then
              return false
            end
          end
          return true
        end)
        assert.is_true(ok, table.concat(shown, '\n'))

        nvim.cmd('set termguicolors')
        local ui = uis.attach(nvim, columns, 20)
        local colours = vim.split(COLOURS[columns], '\n')
        local function wait_for_colours()
          local seen
          ok = pcall(nvim.wait_for, function()
            seen = colours_of(ui, colours, looks_of_groups(ui))
            seen[2] = seen[2]:sub(1, #colours[2])
            seen[3] = colours[3]
            return vim.deep_equal(colours, seen)
          end)
          assert.is_true(ok, table.concat(seen, '\n'))
        end
        wait_for_colours()
        -- Many groups look alike: with a colour for each the letters are theirs alone.
        nvim.lua(
          function(names)
            local colour = 0x300000
            for _, name in pairs(names) do
              colour = colour + 0x050301
              vim.api.nvim_set_hl(0, name, { fg = colour })
            end
          end,
          vim.tbl_filter(function(name)
            return vim.startswith(name, 'Himalaya')
          end, GROUPS)
        )
        wait_for_colours()
        ui.close()
      end)
    end
  end
end)
