-- The colours, once: each group with the standard one it is linked to and what it is for. Nothing else in the plugin
-- knows a colour. Links are made with `default`, so a colour scheme or a user who defines a group wins.

local M = {}

---@class (exact) himalaya.Highlight
---@field name string
---@field link string
---@field desc string

---@param name string
---@param link string
---@param desc string
---@return himalaya.Highlight
local function group(name, link, desc)
  return { name = 'Himalaya' .. name, link = link, desc = desc }
end

---@type himalaya.Highlight[]
M.table = {
  group('Title', 'Title', 'The first line of a view'),
  group('Header', 'Comment', 'The lines below it'),
  group('Sync', 'DiagnosticInfo', 'The line that says what sync does'),
  group('SyncDone', 'DiagnosticOk', 'The same for some seconds after a sync that ended well'),
  group('SyncError', 'DiagnosticError', 'The same after a failure'),
  group('Account', 'Directory', 'An account'),
  group('Folder', 'Normal', 'A folder'),
  group('FolderRole', 'Special', 'A folder with a role: inbox, sent, trash'),
  group('FolderCurrent', 'CursorLineNr', 'The folder that is shown'),
  group('Unread', '@markup.strong', 'The subject of a message that was not read'),
  group('Read', 'Normal', 'The subject of a message that was read'),
  group('From', 'Identifier', 'The sender'),
  group('Date', 'Comment', 'The date'),
  group('Size', 'Comment', 'The size'),
  group('Count', 'Number', 'A number of messages'),
  group('Flagged', 'WarningMsg', 'The star of a flagged message'),
  group('Answered', 'Comment', 'The mark of an answered or forwarded message'),
  group('Attachment', 'Special', 'The mark of a message with attachments, and an attachment'),
  group('Thread', 'NonText', 'The lines that join a thread'),
  group('Selected', 'Visual', 'The box of a selected row; the row itself where a narrow list has no boxes'),
  group('Pending', 'DiagnosticHint', 'A row whose change waits to be sent'),
  group('HeaderName', 'Keyword', 'The name of a header in the reader'),
  group('HeaderValue', 'String', 'Its value'),
  group('Quote1', 'Comment', 'Quoted text'),
  group('Quote2', 'Identifier', 'Text quoted in quoted text'),
  group('Signature', 'Comment', 'What follows the signature mark'),
  group('Link', 'Underlined', 'A link'),
  group('Warning', 'WarningMsg', 'A warning inside a view'),
  group('Key', 'Special', 'A key in help and footers'),
  group('BarDone', 'DiagnosticOk', 'The filled part of a progress bar'),
  group('BarLeft', 'NonText', 'The rest of it'),
  group('JobRunning', 'DiagnosticInfo', 'A running job'),
  group('JobQueued', 'Comment', 'A job that waits'),
  group('JobDone', 'DiagnosticOk', 'A job that ended well'),
  group('JobFailed', 'DiagnosticError', 'A job that did not'),
}

local function define()
  for _, row in ipairs(M.table) do
    vim.api.nvim_set_hl(0, row.name, { link = row.link, default = true })
  end
end

local ready = false

--- Makes the groups, once, and again after every change of the colours. Views call it before they draw.
function M.ready()
  if ready then
    return
  end
  ready = true
  define()
  vim.api.nvim_create_autocmd('ColorScheme', {
    group = vim.api.nvim_create_augroup('himalaya.highlights', { clear = true }),
    desc = 'himalaya: link our groups again',
    callback = define,
  })
end

return M
