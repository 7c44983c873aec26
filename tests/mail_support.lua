-- What the specs of himalaya.mail share: its functions called in the Neovim under test, and the answer brought here.
local assert = require('luassert')

local child = require('tests.child')

local M = {}

--- A Neovim with one account of this server, `home`, in which nothing begins by itself.
---@param dovecot table
---@param opts? { imap?: table, account?: table, dir?: string }  what is said of the account beyond that
function M.start(dovecot, opts)
  opts = opts or {}
  local account = { email = 'home@example.org', imap = dovecot:imap('home', opts.imap) }
  return child.start({
    dir = opts.dir,
    setup = {
      accounts = { home = vim.tbl_extend('force', account, opts.account or {}) },
      async = { enabled = false },
    },
  })
end

---@param nvim table of tests.child
---@param name string a function of himalaya.mail that takes a callback
---@return { err: { code: string, message: string, hint: string? }?, result: any }
function M.call(nvim, name, ...)
  return nvim.await(function(done, what, ...)
    local arguments = { ... }
    table.insert(arguments, function(err, result)
      done({
        err = err and { code = err.code, message = err.message, hint = err.hint },
        result = result,
      })
    end)
    require('himalaya.mail')[what](unpack(arguments, 1, #arguments))
  end, name, ...)
end

--- The answer's result, where an error is a failure of the test.
function M.good(answer)
  assert.is_nil(answer.err and answer.err.message)
  return answer.result
end

return M
