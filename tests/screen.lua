-- A child Neovim with mail on its screen, for specs that type keys and look at cells.
--
--   local screen = require('tests.screen').start(dovecot, { columns = 100, ui = { paging = 'endless' } })
--   screen.open(); screen.sync(); screen.type('j<CR>'); screen.wait_for_text('Subject: ')
local child = require('tests.child')

local M = {}

--- @class tests.ScreenOptions
--- @field columns? integer
--- @field lines? integer
--- @field user? string
--- @field setup? table what goes over the options
--- @field dir? string
--- @field args? string[]
--- @field init? string

---@param dovecot table
---@param opts? tests.ScreenOptions
function M.start(dovecot, opts)
  opts = opts or {}
  local user = opts.user or 'home'
  local setup = vim.tbl_extend('force', {
    accounts = { [user] = { email = user .. '@example.org', imap = dovecot:imap(user) } },
    async = { enabled = false },
  }, opts.setup or {})
  local nvim = child.start({ setup = setup, dir = opts.dir, args = opts.args, init = opts.init })
  nvim.resize(opts.columns or 100, opts.lines or 30)

  function nvim.text()
    return table.concat(nvim.screen(), '\n')
  end

  function nvim.shows(text)
    return nvim.text():find(text, 1, true) ~= nil
  end

  function nvim.wait_for_text(text, limit)
    nvim.wait_for(function()
      return nvim.shows(text)
    end, limit or 15000, ('`%s` on the screen'):format(text))
  end

  --- The lines of a folder's list.
  function nvim.list(folder)
    return nvim.lua(function(name)
      return vim.api.nvim_buf_get_lines(vim.fn.bufnr(name), 0, -1, false)
    end, ('himalaya://%s/%s'):format(user, folder or 'INBOX'))
  end

  --- The message under the cursor of the inbox's list; without an id on any other line, and while others come.
  function nvim.item_here()
    return nvim.lua(function(name)
      local list = require('himalaya.ui.list').of(vim.fn.bufnr(name))
      local item = list and list:item_here(vim.fn.bufwinid(list.buffer))
      return item and { subject = item.subject, id = item.id, seen = item.flags.seen } or vim.empty_dict()
    end, ('himalaya://%s/INBOX'):format(user))
  end

  function nvim.open()
    nvim.type(':Himalaya<CR>')
    nvim.wait_for('return vim.bo.filetype == "himalaya-list"')
  end

  --- Puts the cursor on the first line that has it, once there is one: rows and texts come when they come.
  function nvim.search(pattern)
    nvim.wait_for(function()
      return nvim.lua('return vim.fn.search(..., "cw")', pattern) > 0
    end, 15000, ('`%s` in the current buffer'):format(pattern))
  end

  --- Syncs by its key and waits until that is over and shown. Its outcome is looked for among all that was to be said:
  --- the same words are shown only once in a while.
  function nvim.sync()
    nvim.cmd('messages clear')
    local before = nvim.lua('return select(2, require("himalaya.notify").history())')
    nvim.type('S')
    nvim.wait_for(function()
      return nvim.lua(function(from)
        local said, total = require('himalaya.notify').history()
        for at = math.max(1, #said - (total - from) + 1), #said do
          local entry = said[at]
          if entry.kind == 'USER_ACTION' and vim.startswith(entry.text, 'Synced;') then
            -- It comes a moment after another message.
            return not entry.shown or vim.fn.execute('messages'):find('himalaya: Synced;', 1, true) ~= nil
          end
        end
        return false
      end, before)
    end, 30000, 'the sync by its key to be over')
    local stored = nvim.await(function(done, account)
      require('himalaya.mail').count(account, 'INBOX', function(_, counts)
        done(counts.total)
      end)
    end, user)
    nvim.wait_for(function()
      return nvim.lua(function(name, total)
        local list = require('himalaya.ui.list').of(vim.fn.bufnr(name))
        local size = require('himalaya.config').get().ui.page_size
        if not list then
          return true
        end
        -- Rows are painted a while after their messages came; a key before that meets an empty list.
        return list.total == total and #list.items >= math.min(total, size) and not list.laying
      end, ('himalaya://%s/INBOX'):format(user), stored)
    end, 10000, 'the list to show what was synced')
  end

  --- How many windows the tab page has, floats left out.
  function nvim.windows()
    return nvim.lua(function()
      return #vim.tbl_filter(function(window)
        return vim.api.nvim_win_get_config(window).relative == ''
      end, vim.api.nvim_tabpage_list_wins(0))
    end)
  end

  function nvim.filetype()
    return nvim.lua('return vim.bo.filetype')
  end

  function nvim.wait_for_filetype(name)
    nvim.wait_for(('return vim.bo.filetype == "himalaya-%s"'):format(name))
  end

  --- The lines of the window that shows a buffer of this kind, in the current tab page.
  function nvim.window(filetype)
    return nvim.lua(function(wanted)
      for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
        local buffer = vim.api.nvim_win_get_buf(window)
        if vim.bo[buffer].filetype == 'himalaya-' .. wanted then
          return {
            window = window,
            lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false),
            width = vim.api.nvim_win_get_width(window),
            height = vim.api.nvim_win_get_height(window),
            position = vim.api.nvim_win_get_position(window),
          }
        end
      end
    end, filetype)
  end

  return nvim
end

--- A message of one's own; `headers` as a table of lines or a text.
---@param dovecot table
---@param message { subject?: string, from?: string, headers?: string, body?: string, user?: string, folder?: string,
---  id?: string, raw?: string, date?: string }
function M.deliver(dovecot, message)
  local raw = message.raw
    or table.concat({
      'From: ' .. (message.from or 'Reading room <desk@example.org>'),
      'To: home@example.org',
      'Message-ID: ' .. (message.id or ('<%d@example.org>'):format(vim.uv.hrtime())),
      'Date: ' .. (message.date or 'Thu, 1 Jan 2026 10:00:00 +0000'),
      'Subject: ' .. (message.subject or 'a subject'),
      'MIME-Version: 1.0',
      message.headers or 'Content-Type: text/plain; charset=utf-8',
      '',
      message.body or 'a text',
      '',
    }, '\n')
  dovecot:ask({
    ['do'] = 'deliver',
    user = message.user or 'home',
    folder = message.folder or 'INBOX',
    message = raw,
  })
end

return M
