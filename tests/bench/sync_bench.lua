-- The sync and the store, on Dovecots of this machine: first syncs against mbsync and the bare wire, syncs without
-- changes, changes in both directions, lists while a sync runs. `--row first` takes only some rows (see M.rows),
-- `--messages 5000` a smaller large mailbox.
local M = { about = 'the store and the sync against mbsync and raw reads, on Dovecots on loopback' }

-- In the order they are measured.
M.rows = { 'first', 'page', 'quiet', 'folders', 'flags', 'push', 'lists', 'growth' }

local function row(name)
  return require('tests.bench.sync.' .. name)
end

M.figures = {}
for _, name in ipairs(M.rows) do
  for _, figure in ipairs(row(name).figures) do
    table.insert(M.figures, vim.tbl_extend('force', { row = name }, figure))
  end
end

function M.run(tools, report)
  tools.note('pragmas: ' .. tools.run({ tools.program('store_maker'), '--pragmas' }))
  for _, name in ipairs(M.rows) do
    if tools.wants(name) then
      local ok, problem = xpcall(row(name).run, debug.traceback, tools, report)
      require('tests.servers').stop()
      tools.clean_up()
      if not ok then
        tools.note(('%s failed: %s'):format(name, problem))
      end
    end
  end
end

return M
