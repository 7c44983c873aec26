-- Runs a program of tests/proof and fails with what it said.
local M = { soak = vim.env.HIMALAYA_SOAK == '1' }

--- `seeded` is false for a program that has nothing random.
function M.run(program, arguments, seeded)
  local argv = { 'python3', '-W', 'ignore', vim.env.HIMALAYA_ROOT .. '/tests/proof/' .. program }
  for _, argument in ipairs(arguments) do
    table.insert(argv, tostring(argument))
  end
  if seeded ~= false and not M.soak then
    vim.list_extend(argv, { '--seed', '1' })
  end
  local done = vim.system(argv, { text = true }):wait()
  assert(done.code == 0, ('%s\n%s%s'):format(table.concat(argv, ' '), done.stdout, done.stderr))
end

return M
