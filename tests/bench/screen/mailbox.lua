-- The mailbox of the screen's bench: one Dovecot for the run, started when a row needs it, and a store that was synced
-- from such a one. The store is kept outside the checkout, for it takes a minute; sources other than those that made it
-- make it anew.
local servers = require('tests.servers')

local M = {}

local LONG_SUBJECT = 'a hundred kilobytes'
-- What a folder that is turned to has; the first is what :HimalayaFolder may show too.
local FOLDERS = { 'Archive', 'Sent', 'Drafts', 'Trash' }

---@class tests.bench.Mailbox
---@field count integer messages in INBOX
---@field long string the subject of the message of 100 KB, the newest of INBOX
---@field folders string[] further folders with 200 messages each

local server

--- Text as people write it, `bytes` long: quotes, links, a signature at the end.
local function long_text(bytes)
  local lines, size = {}, 0
  while size < bytes do
    local at = #lines
    local line = at % 10 == 7 and '> what was said in line ' .. at
      or at % 25 == 3 and 'See https://example.org/a/page?n=' .. at .. ' for more.'
      or ('Line %d of a long letter, as wide as a letter is: %s'):format(at, ('words '):rep(4))
    lines[#lines + 1] = line
    size = size + #line + 1
  end
  lines[#lines + 1] = '-- '
  lines[#lines + 1] = 'Reading room'
  return table.concat(lines, '\n')
end

--- The Dovecot of this run: `home` with `count` messages in INBOX, three more accounts with a hundredth of that.
function M.server(count)
  if server then
    return server
  end
  io.stderr:write(('  a Dovecot with %d messages ...\n'):format(count))
  server = servers.dovecot({ users = { 'home' }, messages = count, warm = true })
  for _, folder in ipairs(FOLDERS) do
    server:ask({
      ['do'] = 'doveadm',
      args = { 'copy', '-u', 'home', folder, 'mailbox', 'INBOX', 'uid', '1:' .. math.min(200, count) },
    })
  end
  server:ask({
    ['do'] = 'deliver',
    user = 'home',
    message = table.concat({
      'From: Reading room <desk@example.org>',
      'To: home@example.org',
      'Subject: ' .. LONG_SUBJECT,
      'Message-ID: <long@example.org>',
      'Date: ' .. os.date('!%a, %d %b %Y %H:%M:%S +0000'),
      '',
      long_text(100 * 1024),
    }, '\n'),
  })
  return server
end

--- What an account without a server has: it reads its store and meets nobody.
function M.offline(name)
  return {
    email = name .. '@example.org',
    bodies = 'on_demand',
    imap = {
      host = '127.0.0.1',
      port = 9,
      tls = 'none',
      user = name,
      auth = { type = 'password', value = 'none' },
    },
  }
end

local function fill(tools, folder, count)
  local account = M.offline('home')
  account.imap = M.server(count):imap('home')
  local child = tools.child({
    dir = folder .. '/nvim',
    patience = 600000,
    await = 900000,
    setup = { accounts = { home = account }, data_dir = folder .. '/data', async = { enabled = false } },
  })
  io.stderr:write('  a first sync into the store ...\n')
  local err = child.await(function(done)
    require('himalaya.sync.manager').start_sync('full', {}, function(err)
      done(err and tostring(err.message) or false)
    end)
  end)
  assert(not err, err)
  -- The body of the long one comes into the store by being read.
  local problem = child.await(function(done, subject)
    local mail = require('himalaya.mail')
    mail.list('home', 'INBOX', { page_size = 1 }, function(failed, page)
      if failed or page.items[1].subject ~= subject then
        return done(failed and failed.message or 'the newest is ' .. page.items[1].subject)
      end
      mail.read('home', 'INBOX', page.items[1].id, {}, function(unread)
        done(unread and unread.message or false)
      end)
    end)
  end, LONG_SUBJECT)
  assert(not problem, problem)
  child.stop()
  vim.fn.delete(folder .. '/nvim', 'rf')
end

--- A folder with a copy of the store, for one Neovim or several to do with as they like.
---@return string data_dir
---@return tests.bench.Mailbox
function M.store(tools, count)
  local kept = ('%s/himalaya.nvim/bench/screen-%d'):format(vim.env.HIMALAYA_CACHE_HOME, count)
  local stamp = dofile(tools.root .. '/lua/himalaya/stamp.lua')
  local made = vim.uv.fs_stat(kept .. '/stamp') and vim.fn.readfile(kept .. '/stamp')[1]
  if made ~= stamp then
    vim.fn.delete(kept, 'rf')
    vim.fn.mkdir(kept, 'p', '0700')
    fill(tools, kept, count)
    vim.fn.writefile({ stamp }, kept .. '/stamp')
  end
  local copy = vim.fn.tempname()
  tools.run({ 'cp', '-a', kept .. '/data', copy })
  return copy, { count = count + 1, long = LONG_SUBJECT, folders = FOLDERS }
end

--- The Maildir that the server reads, for the peer.
function M.maildir(count)
  return M.server(count).users.home.maildir
end

return M
