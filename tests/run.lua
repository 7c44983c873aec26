-- Runs busted specs inside this Neovim:  nvim -u NONE -l tests/run.lua FILE...
--
-- Debian's busted is a program for its own Lua; here it is a library, so that specs see `vim` and the module under
-- test sees the loop it was written for. The last line printed is `# passed N failed N skipped N`: scripts/test adds
-- those up, and a run that ends without one has crashed.
local root = vim.fs.dirname(vim.fs.dirname(vim.fs.normalize(debug.getinfo(1, 'S').source:sub(2))))
root = vim.uv.fs_realpath(root)

package.path = table.concat({
  root .. '/?.lua',
  '/usr/share/lua/5.1/?.lua',
  '/usr/share/lua/5.1/?/init.lua',
  package.path,
}, ';')
local triplet = vim.fn.glob('/usr/lib/*-linux-gnu*/lua/5.1', false, true)[1] or '/usr/lib/lua/5.1'
package.cpath = table.concat({ triplet .. '/?.so', package.cpath }, ';')
vim.opt.runtimepath:prepend(root)
vim.opt.swapfile = false
vim.env.HIMALAYA_ROOT = root

-- Neovim's own print goes to messages; a spec's output belongs with the report.
io.stdout:setvbuf('line')

-- busted ends a failed run with an empty error; leaving by Neovim's own exit has VimLeavePre run in every case.
if not pcall(require('busted.runner'), { standalone = false, output = 'tests.report' }) then
  vim.cmd.cquit(1)
end
