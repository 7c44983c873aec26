-- HTML mail as text, by w3m where it is installed: a job like any other, fed through its stdin, and kept from
-- fetching anything: what a message links to must not learn that it was opened.

local config = require('himalaya.config')
local errors = require('himalaya.errors')

local M = {}

local TIMEOUT_MS = 10000
-- Nobody reads more of an HTML mail, and w3m takes a second for a megabyte of tables.
local MOST_BYTES = 2 * 1024 * 1024

-- An address that refuses at once, for whatever would be fetched in spite of the other settings.
local NOWHERE = 'http://127.0.0.1:1/'

---@param columns integer
---@return string[]
local function command(columns)
  local settings = {
    'auto_image=0',
    'display_link_number=1',
    'follow_redirection=0',
    'ftp_proxy=' .. NOWHERE,
    'http_proxy=' .. NOWHERE,
    'https_proxy=' .. NOWHERE,
    'meta_refresh=0',
    'no_cache=1',
    'use_cookie=0',
    'use_history=0',
    'use_proxy=1',
  }
  local argv = { config.get().binaries.w3m, '-dump', '-T', 'text/html', '-I', 'UTF-8', '-O', 'UTF-8' }
  vim.list_extend(argv, { '-config', '/dev/null', '-cols', tostring(math.max(20, math.min(columns, 200))) })
  for _, setting in ipairs(settings) do
    vim.list_extend(argv, { '-o', setting })
  end
  return argv
end

--- Whether there is a w3m to do it.
---@return boolean
function M.available()
  return vim.fn.executable(config.get().binaries.w3m) == 1
end

--- The text of a page in lines of at most `columns` cells. The code is `unsupported` where there is no w3m.
---@param html string in UTF-8
---@param columns integer
---@param callback fun(err?: himalaya.Error, text?: string)
---@return himalaya.JobHandle?
function M.render(html, columns, callback)
  if not M.available() then
    vim.schedule(function()
      callback(
        errors.new('unsupported', 'There is no w3m to show HTML with.', 'Install w3m, or set `binaries.w3m`.')
      )
    end)
    return nil
  end
  return require('himalaya.core.async_commands').queue_command(command(columns), {
    stdin = html:sub(1, MOST_BYTES),
    timeout = TIMEOUT_MS,
    name = 'w3m',
    max_output = 4 * MOST_BYTES,
  }, function(err, result)
    callback(err, result and result.stdout)
  end, 'ui')
end

return M
