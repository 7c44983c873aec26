-- The servers that other specs stand on, tried by clients that are not ours. One test here per class of
-- tests/servers/selftest.py, which says what failed.
-- needs dovecot
local root = vim.env.HIMALAYA_ROOT
local limit = require('tests.child').limit

describe('the test servers:', function()
  for _, class in ipairs({ 'Mailboxes', 'Vendors', 'Proxy', 'Dovecot' }) do
    it(class, function()
      local done = vim
        .system({ 'python3', '-W', 'ignore', root .. '/tests/servers/selftest.py', class }, { text = true })
        :wait(limit(120000))
      assert(done.code == 0, done.stderr)
    end)
  end
end)
