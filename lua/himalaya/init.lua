-- The front door: what a user's configuration and other plugins call. Everything here answers from memory; the
-- native module is loaded by the first command that needs it, not by `setup`.

local config = require('himalaya.config')

local M = {}

--- Sets the options (|himalaya-options|). Each call begins with the defaults. Takes less than a millisecond and
--- opens no file and no socket. What is wrong in `opts` is said in one message, the rest works. Called again it also
--- holds for what is open: an account that is not there any more is closed, one whose options are others is opened
--- anew, and what ran for it ends with `cancelled`.
---@param opts? table
function M.setup(opts)
  if opts ~= nil and type(opts) ~= 'table' then
    error(('himalaya.setup: `opts` must be a table, not a %s'):format(type(opts)), 2)
  end
  config.set(opts)
  local problems = config.problems()
  if #problems > 0 then
    local lines = {}
    for _, problem in ipairs(problems) do
      lines[#lines + 1] = problem.message
    end
    require('himalaya.notify').warn('In the options: ' .. table.concat(lines, '\n'), { lines = true })
  end
end

--- What is known now, from memory: `accounts` by name with `unread`, `state`, `last_sync`, `error` and `pending_ops`,
--- `sync` as `get_sync_status()` gives it, and `role`: 'primary', 'secondary' or 'alone'.
---@return { accounts: table<string, himalaya.AccountState>, sync: table, role: string }
function M.status()
  return require('himalaya.core.state').status()
end

--- A short text for 'statusline' or lualine: unread messages and what sync does. Empty without accounts. Costs no
--- more than reading a string, and never waits.
---@return string
function M.statusline()
  return require('himalaya.statusline').text()
end

--- Everything counted, as one plain table: `jobs`, `sync`, `cache`, `memory`, and `loop` with `longest_turn_ms`,
--- `turns_over_2ms`, `by_room` and `longest`, which says who worked most in the longest turn. All of it is processor
--- time of this plugin's own code; what your callbacks and autocommands take of it stands in the room `theirs` and in
--- no other figure. Zeros as long as the native module has not been needed. `sync` has, for all
--- accounts together and in `accounts` for each by its name: `cycles` (that ended well), `cancelled`, `failures` by
--- the error's code, `new`, `updated`, `expunged`, `uploaded`, `bytes`, `round_trips`, `connections_opened`,
--- `duration_ms` (the sum), `durations` of cycles (`count`, `mean_ms`, `p50_ms`, `p90_ms`, `p99_ms`, `max_ms`),
--- `asked` (of another Neovim that leads) and `served` (for others). `cache` says where the messages that were read
--- were found: `memory`, `disk` and `remote`, each with `hits` and `misses`, each asked when the one before has not got
--- it, `evictions` from memory, and `prefetched`, those that were fetched before they were asked for.
---@return table
function M.metrics()
  return require('himalaya.core.metrics').all()
end

return M
