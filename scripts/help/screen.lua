-- The help's chapter on the screen: what its lines and signs mean, how its buffers are called, and its text for other
-- plugins' lines.

local layout = require('layout')

local M = {}

local LIST = [[
|:Himalaya| opens a sidebar with the accounts and their folders, and beside it the list of a folder: whose it
is, where in it you are and how old it is, what sync does, then a row for each message. A screen of fewer than
50 columns is the list's alone. The rows change by themselves when mail does, and the cursor stays on its
message. The signs of a row:
]]

local SIGNS = {
  { '[x]', 'It is selected: `d`, `a`, `m`, `C`, `u` and `*` act on all that are.' },
  { '*', 'It has a star.' },
  { '•', 'It was not read; `<` it was answered, `>` forwarded, `D` it is a draft.' },
  { '~', 'What was done to it waits to be sent.' },
  { '@', 'It has attachments.' },
  { '└', 'It answers the message above it; `▸ (3)` stands for three of a thread.' },
}

local FILTER = [[
`/` asks for what to show: words of the subject, the sender and the recipients, and `from:` `to:` `subject:`
`is:unread` `is:flagged` `is:answered` `has:attachment` `before:2024-05-17` `after:2024` (|himalaya.ListOptions|).

Folders, accounts, attachments and links are chosen through |vim.ui.select()|, so in whichever picker you have
put there; the kinds are `himalaya.folder`, `himalaya.account`, `himalaya.attachment` and `himalaya.link`.

A page of HTML is shown by w3m (`binaries.w3m`) where that is installed, else by a plain rendering of our own;
which of the two is said above the text.
]]

local ADDRESSES = [[
Every list and every message is a buffer with an address, which `:edit`, file marks and `:mksession` bring
back:
]]

local NAMES = {
  {
    'himalaya://home/INBOX',
    'a folder; what is no letter, digit or one of `._~-` is percent-encoded, `/` too.',
  },
  { 'himalaya://home/Lists%2Freading', 'the folder `Lists/reading`.' },
  { 'himalaya://home/INBOX?m=KEY', 'a message of it, or a clear "not found", never another one.' },
}

local BUFFERS = [[
`:edit` takes `%` for the name of a file: write `\%2F` there, or |:Himalaya| home/Lists/reading. `m` moves
messages, so `:mark A` sets a mark. |himalaya.mail.find()| finds the message that a key names.

Their 'filetype' is set last, so your FileType autocommands have the final word: `himalaya-sidebar`,
`himalaya-list`, `himalaya-message`, and in floats `himalaya-sync`, `himalaya-stats`, `himalaya-jobs`,
`himalaya-help`; that of |:HimalayaLog| is `himalaya-log`.
]]

local STATUSLINE = [[
|himalaya.statusline()| gives a short text, `Mail 12 ⟳`: unread messages, a sync that runs, `!` after a failure. It
is drawn again when it changes:
]]

---@return string[]
function M.chapter()
  local out = { layout.chapter('The screen', 'himalaya-screen'), layout.prose(LIST), '' }
  for _, sign in ipairs(SIGNS) do
    out[#out + 1] = layout.entry('  ' .. sign[1], sign[2], 8)
  end
  vim.list_extend(out, { '', layout.prose(FILTER) })
  vim.list_extend(
    out,
    { '', layout.tagged('Addresses', 'himalaya-addresses'), '', layout.prose(ADDRESSES), '' }
  )
  for _, name in ipairs(NAMES) do
    out[#out + 1] = '  ' .. name[1]
    out[#out + 1] = layout.wrap(name[2], 8)
  end
  vim.list_extend(out, {
    '',
    layout.prose(BUFFERS),
    '',
    layout.tagged('For your statusline', 'himalaya-statusline'),
    '',
    layout.prose(STATUSLINE),
    layout.code([[
vim.o.statusline = '%f %=%{v:lua.require("himalaya").statusline()}'
require('lualine').setup({ sections = { lualine_x = { 'himalaya' } } })]]),
    '',
  })
  return out
end

return M
