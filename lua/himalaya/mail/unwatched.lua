-- Changes that other Neovims make show as soon as the system tells of them. Where it does not (too many files are
-- watched on this machine already), the store is asked every `async.ui_refresh_rate` seconds: one indexed read. This
-- Neovim's own changes never wait for that.

local config = require('himalaya.config')

local M = {}

local looking = {} ---@type table<string, boolean>

---@param name string
local function look_later(name)
  vim.defer_fn(function()
    local open = require('himalaya.mail.home').is_open(name)
    if not open or require('himalaya.native').mail.look(name) then
      looking[name] = nil -- from now on the system tells
    else
      look_later(name)
    end
  end, math.ceil(config.get().async.ui_refresh_rate * 1000))
end

--- Looks for an account's changes from now on, until it is closed or the system tells of them.
---@param name string
function M.begin(name)
  if not looking[name] then
    looking[name] = true
    look_later(name)
  end
end

return M
