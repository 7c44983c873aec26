-- :HimalayaStats: asks the stores what they remember of their syncs, and shows that and what was counted since.

local config = require('himalaya.config')
local errors = require('himalaya.errors')
local float = require('himalaya.ui.float')
local home = require('himalaya.mail.home')
local paint = require('himalaya.ui.paint')
local stats_rows = require('himalaya.ui.stats_rows')

local M = {}

local RUNS = 40

---@param of_account table<string, himalaya.Row[]>
local function show(of_account)
  local rows = { stats_rows.title() }
  for _, name in ipairs(config.account_names()) do
    vim.list_extend(rows, of_account[name] or {})
  end
  rows[#rows + 1] = { text = '', spans = {} }
  vim.list_extend(rows, stats_rows.counted(require('himalaya').metrics()))
  require('himalaya.ui.highlights').ready()
  local lines = vim.tbl_map(function(row)
    return row.text
  end, rows)
  local opened = float.open(lines, { title = 'Statistics', filetype = 'himalaya-stats' })
  paint.paint(opened.buffer, {}, rows)
end

--- Asks, then shows.
function M.open()
  local names, of_account = config.account_names(), {}
  local left = #names
  -- A window of its own is not opened inside of a callback of ours: other plugins draw it too.
  local show_soon = vim.schedule_wrap(show)
  if left == 0 then
    show(of_account)
    return
  end
  local function done(name, rows)
    of_account[name], left = rows, left - 1
    if left == 0 then
      show_soon(of_account)
    end
  end
  for _, name in ipairs(names) do
    home.with(name, function(err)
      if err then
        done(name, stats_rows.failed(name, errors.sentence(err)))
        return
      end
      require('himalaya.native').mail.runs(name, RUNS, function(failure, runs)
        done(
          name,
          failure and stats_rows.failed(name, errors.sentence(failure)) or stats_rows.account(name, runs)
        )
      end)
    end)
  end
end

return M
