-- Attachments: saved where the user says, or opened by the program the system has for them, from a copy that only
-- this user can read and that goes when Neovim exits.

local format = require('himalaya.ui.format')
local mail = require('himalaya.mail')
local notify = require('himalaya.notify')
local text = require('himalaya.ui.text')

local M = {}

local LONGEST_NAME = 100

-- A name from outside is a name, never a way to another folder, and never hidden.
---@param attachment { name: string }
---@return string
local function safe_name(attachment)
  local name = text.clean(attachment.name):gsub('[/\\%z]', '_'):gsub('^[%.%s%-]+', '')
  if #name > LONGEST_NAME then
    local ending = name:match('%.%w+$') or ''
    name = name:sub(1, vim.str_utf_start(name, LONGEST_NAME - 19) + LONGEST_NAME - 20) .. ending:sub(1, 12)
  end
  return name ~= '' and name or 'attachment'
end
M._safe_name = safe_name

-- The message that has it: a page may show another one by the time somebody has chosen.
---@class (exact) himalaya.AttachmentPlace
---@field account string
---@field folder string
---@field id integer

---@param place himalaya.AttachmentPlace|himalaya.Page
---@param attachment { name: string, part: string }
function M.save(place, attachment)
  local account, folder, id = place.account, place.folder, place.id
  vim.ui.input({
    prompt = 'Save to: ',
    default = vim.fn.fnamemodify(safe_name(attachment), ':p'),
    completion = 'file',
  }, function(path)
    if not path or vim.trim(path) == '' then
      return
    end
    -- A folder, as completion writes it, is where it goes, not what it is called from then on.
    local into = path:find('/$') and path .. safe_name(attachment) or path
    mail.save_attachment(account, folder, id, attachment.part, vim.fs.normalize(into), function(err, result)
      if err then
        notify.report(err, 'The attachment was not saved')
      else
        notify.action(('Saved to %s.'):format(text.clean(result.path)))
      end
    end)
  end)
end

---@param place himalaya.AttachmentPlace|himalaya.Page
---@param attachment { name: string, part: string }
function M.open(place, attachment)
  local name = safe_name(attachment)
  local path = vim.fs.joinpath(vim.fn.tempname() .. '-' .. name)
  mail.save_attachment(place.account, place.folder, place.id, attachment.part, path, function(err, result)
    if err then
      notify.report(err, 'The attachment was not opened')
      return
    end
    local ok, _, problem = pcall(vim.ui.open, result.path)
    if not ok or problem then
      local why = tostring(problem or 'vim.ui.open failed')
      notify.error(('The attachment could not be opened: %s.'):format(why))
    else
      notify.action(('Opening %s'):format(name))
    end
  end)
end

--- Calls `fn` with the attachment under the cursor, else with the one the user chooses.
---@param page himalaya.Page
---@param fn fun(place: himalaya.AttachmentPlace|himalaya.Page, attachment: table)
function M.choose(page, fn)
  local here = page.parts[vim.fn.line('.')]
  if here then
    fn(page, here)
    return
  end
  local place = { account = page.account, folder = page.folder, id = page.id }
  require('himalaya.ui.picker').pick(page.attachments, {
    prompt = 'Attachment:',
    kind = 'attachment',
    show = function(each)
      local name = each.name ~= '' and each.name or '(no name)'
      return ('%s  %s  %s'):format(name, each.mime, format.size(each.size))
    end,
  }, function(attachment)
    fn(place, attachment)
  end)
end

return M
