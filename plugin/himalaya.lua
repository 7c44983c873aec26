-- Written by scripts/docs from lua/himalaya/commands.lua and keymaps.lua. Read at every start, so it only names
-- things: what they do is loaded when they are used.

if vim.g.loaded_himalaya then
  return
end
vim.g.loaded_himalaya = true

---@param name string
---@param nargs string|integer
---@param desc string
---@param completes? boolean
local function command(name, nargs, desc, completes)
  vim.api.nvim_create_user_command(name, function(given)
    require('himalaya.commands').run(name, given)
  end, {
    nargs = nargs,
    desc = desc,
    complete = completes and function(lead)
      return require('himalaya.commands').complete(name, lead)
    end or nil,
  })
end

command('Himalaya', '?', 'Open the sidebar and the list of a folder', true)
command('HimalayaSyncInbox', '*', 'Sync the inboxes of these accounts, or of all', true)
command('HimalayaSyncFull', '*', 'Sync all folders of these accounts, or of all', true)
command('HimalayaCancelSync', 0, 'Stop every sync that runs or waits')
command('HimalayaSyncInfo', 0, 'Show what sync does, account by account, and what waits for an answer')
command('HimalayaAutoSyncToggle', 0, 'Stop syncing by itself, or start again')
command('HimalayaAccounts', 0, 'Choose an account and show its inbox')
command('HimalayaFolder', 0, 'Choose a folder of the account that is shown')
command('HimalayaRefresh', 0, 'Read the lists and the sidebar again')
command('HimalayaExport', '+', 'Write a folder, or the one that is shown, into a file or a Maildir', true)
command(
  'HimalayaImport',
  '+',
  'Bring the messages of an mbox file or a Maildir into a folder, or the one that is shown',
  true
)
command(
  'HimalayaStats',
  0,
  'Show how long syncs took and what they cost, and what was counted since Neovim started'
)
command('HimalayaJobs', 0, 'Show what is queued, running and lately done, with waits and durations')
command('HimalayaLog', 0, 'Show what happened lately')

vim.api.nvim_create_autocmd('BufReadCmd', {
  group = vim.api.nvim_create_augroup('himalaya', { clear = true }),
  pattern = 'himalaya://*',
  desc = 'himalaya: show the folder or the message of this address',
  callback = function(given)
    require('himalaya.ui.screen').read(given.buf)
  end,
})

vim.keymap.set('n', '<Plug>(himalaya)', '<Cmd>Himalaya<CR>', { desc = 'Open the sidebar and the list' })
vim.keymap.set(
  'n',
  '<Plug>(himalaya-sync-inbox)',
  '<Cmd>HimalayaSyncInbox<CR>',
  { desc = 'Sync the inboxes' }
)
vim.keymap.set('n', '<Plug>(himalaya-sync-full)', '<Cmd>HimalayaSyncFull<CR>', { desc = 'Sync everything' })
vim.keymap.set(
  'n',
  '<Plug>(himalaya-sync-info)',
  '<Cmd>HimalayaSyncInfo<CR>',
  { desc = 'Show what sync does' }
)
vim.keymap.set('n', '<Plug>(himalaya-stats)', '<Cmd>HimalayaStats<CR>', { desc = 'Show the statistics' })
vim.keymap.set('n', '<Plug>(himalaya-jobs)', '<Cmd>HimalayaJobs<CR>', { desc = 'Show the jobs' })
vim.keymap.set('n', '<Plug>(himalaya-log)', '<Cmd>HimalayaLog<CR>', { desc = 'Show the log' })
