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

command('HimalayaJobs', 0, 'Show what is queued, running and lately done, with waits and durations')
command('HimalayaLog', 0, 'Show what happened lately')

vim.keymap.set('n', '<Plug>(himalaya-jobs)', '<Cmd>HimalayaJobs<CR>', { desc = 'Show the jobs' })
vim.keymap.set('n', '<Plug>(himalaya-log)', '<Cmd>HimalayaLog<CR>', { desc = 'Show the log' })
