-- needs dovecot
-- Mail out into files and in from them, against a real server, and read by other programs.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

local nvim, dovecot, dir

local function start(account)
  nvim = support.start(dovecot, { account = account })
end

local function mail(name, ...)
  return support.call(nvim, name, ...)
end

local function sync(kind)
  local result = good(nvim.await(function(done, what)
    require('himalaya.sync.manager').start_sync(what, {}, function(err, result)
      done({ err = err and { code = err.code, message = err.message }, result = result })
    end)
  end, kind or 'full')).accounts.home
  assert.is_nil(result.err and result.err.message)
  return result
end

-- What Python's own reader finds, as "subject flags" lines, and the digests of the bodies' lines.
local READER = [[
import mailbox, sys, hashlib
box = mailbox.mbox(sys.argv[2]) if sys.argv[1] == 'mbox' else mailbox.Maildir(sys.argv[2], factory=None)
for message in box:
    raw = message.as_bytes(unixfrom=False).split(b'\n\n', 1)
    body = (raw[1] if len(raw) > 1 else b'').rstrip(b'\n')
    print(message['message-id'].strip(), ''.join(sorted(message.get_flags())), hashlib.sha1(body).hexdigest())
]]

local function python(code, ...)
  local run = vim.system({ 'python3', '-c', code, ... }, { text = true }):wait(child.limit(8000))
  assert.equal('', run.stderr)
  local lines = vim.split(vim.trim(run.stdout), '\n')
  table.sort(lines)
  return lines
end

-- What the server has: "message-id flags" lines.
local function on_server(folder)
  local answer = dovecot:ask({
    ['do'] = 'doveadm',
    args = { '-f', 'tab', 'fetch', '-u', 'home', 'hdr.message-id flags', 'mailbox', folder },
  })
  local lines = {}
  for line in answer.out:gmatch('[^\n]+') do
    if not line:find('^hdr') then
      local id, flags = line:match('^([^\t]*)\t(.*)$')
      lines[#lines + 1] = id .. ' ' .. vim.trim((flags:gsub('\\Recent', '')))
    end
  end
  table.sort(lines)
  return lines
end

local function write(path, text)
  local file = assert(io.open(path, 'wb'))
  file:write(text)
  file:close()
end

local function slurp(path)
  local file = assert(io.open(path, 'rb'))
  local text = file:read('*a')
  file:close()
  return text
end

local MBOX = table.concat({
  'From ann@example.org Tue Feb  3 04:05:06 2026',
  'Message-ID: <one@example.org>',
  'From: Ann <ann@example.org>',
  'Subject: =?utf-8?q?caf=C3=A9?=',
  'Status: RO',
  'X-Status: FA',
  'X-Keywords: todo',
  '',
  '>From here',
  '',
  'From bob@example.org Wed Feb  4 04:05:06 2026',
  'Message-ID: <two@example.org>',
  'From: Bob <bob@example.org>',
  'Subject: two',
  '',
  'text',
  '',
  'From bob@example.org Wed Feb  4 04:05:06 2026',
  'From: Bob <bob@example.org>',
  'Subject: without an id',
  '',
  'text',
  '',
}, '\n')

describe('mail in files', function()
  before_each(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 40 })
    dir = vim.fn.tempname()
    vim.fn.mkdir(dir, 'p')
  end)
  after_each(function()
    child.stop_all()
    servers.stop()
    vim.fn.delete(dir, 'rf')
  end)

  it('goes out, and other programs read the same messages', function()
    start()
    sync()
    local items = good(mail('list', 'home', 'INBOX', { page_size = 40 })).items
    good(mail('flag', 'home', 'INBOX', { items[1].id }, { add = { 'seen', 'flagged', 'answered' } }))
    for _, format in ipairs({ 'mbox', 'maildir' }) do
      local path = dir .. '/' .. format
      local wrote = good(mail('export', 'home', 'INBOX', { path = path, format = format }))
      assert.same({ 40, 0, 0 }, { wrote.exported, wrote.missing, wrote.skipped })
      local again = good(mail('export', 'home', 'INBOX', { path = path }))
      assert.same({ 0, 0, 40 }, { again.exported, again.missing, again.skipped })
      local lines = python(READER, format, path)
      assert.equal(40, #lines)
      local flags = {}
      for _, line in ipairs(lines) do
        local letters = line:match('^%S+ (%u*) ')
        flags[letters] = (flags[letters] or 0) + 1
      end
      assert.is_true((flags[format == 'mbox' and 'AFOR' or 'FRS'] or 0) >= 1)
    end
    -- Both hold the same texts.
    local function texts(format)
      return vim.tbl_map(function(line)
        return line:match('^%S+') .. line:match('%S+$')
      end, python(READER, format, dir .. '/' .. format))
    end
    local mbox, maildir = texts('mbox'), texts('maildir')
    table.sort(mbox)
    table.sort(maildir)
    assert.same(mbox, maildir)
  end)

  it('comes in and reaches the server, once however often it is asked', function()
    start()
    sync()
    write(dir .. '/in', MBOX)
    local read = good(mail('import', 'home', 'Archive', dir .. '/in', {}))
    assert.same({ 3, 0, 0 }, { read.imported, read.skipped, read.missing })
    local items = good(mail('list', 'home', 'Archive', {})).items
    assert.equal(3, #items)
    assert.is_true(items[1].pending)
    local uploaded = sync()
    assert.equal(3, uploaded.uploaded)
    assert.same({}, uploaded.refused)
    local there = on_server('Archive')
    assert.equal(3, #there)
    assert.equal('<one@example.org> \\Answered \\Flagged \\Seen todo', there[2])
    local again = good(mail('import', 'home', 'Archive', dir .. '/in', {}))
    assert.same({ 0, 3, 0 }, { again.imported, again.skipped, again.missing })
    sync()
    sync()
    assert.equal(3, #on_server('Archive'))
    items = good(mail('list', 'home', 'Archive', {})).items
    assert.equal(3, #items)
    for _, item in ipairs(items) do
      assert.is_false(item.pending)
      if item.subject == 'café' then
        local text = good(mail('read', 'home', 'Archive', item.id, {})).text
        assert.equal('From here\n', text)
        assert.equal(os.time({ year = 2026, month = 2, day = 3, hour = 4, min = 5, sec = 6 }), item.arrived)
      end
    end
    -- And out again, it is what came in.
    good(mail('export', 'home', 'Archive', { path = dir .. '/out' }))
    local out = slurp(dir .. '/out')
    assert.truthy(out:find('\n\n>From here\n', 1, true))
    assert.truthy(out:find('X-Keywords: todo\nX-Status: AF\nStatus: RO\n', 1, true))
  end)

  it('comes in from a Maildir and from what a server without our texts has', function()
    start({ bodies = 'on_demand' })
    sync()
    local path = dir .. '/box/'
    -- Nothing is here but envelopes: all texts are fetched for the export.
    local wrote = good(mail('export', 'home', 'INBOX', { path = path }))
    assert.same({ 40, 0 }, { wrote.exported, wrote.missing })
    local read = good(mail('import', 'home', 'INBOX', path, {}))
    assert.same({ 0, 40 }, { read.imported, read.skipped })
    read = good(mail('import', 'home', 'Archive', path, {}))
    assert.equal(40, read.imported)
    assert.equal(40, sync().uploaded)
    assert.equal(40, #on_server('Archive'))
    -- The other way round: envelopes only, and the same messages from a file.
    child.stop_all()
    start({ bodies = 'on_demand' })
    sync()
    read = good(mail('import', 'home', 'Archive', path, {}))
    assert.same({ 0, 40 }, { read.imported, read.skipped })
  end)

  it('is counted as missing where the server cannot be asked, and the reason is told', function()
    start({ bodies = 'on_demand' })
    sync()
    local first = good(mail('list', 'home', 'INBOX', {})).items[1]
    good(mail('read', 'home', 'INBOX', first.id, {}))
    dovecot:stop()
    local wrote = good(mail('export', 'home', 'INBOX', { path = dir .. '/out' }))
    assert.same({ 1, 39 }, { wrote.exported, wrote.missing })
    assert.is_true(#wrote.why > 10)
  end)

  it('is a job that can be seen and ended', function()
    start()
    sync()
    local lines = {}
    for i = 1, 8000 do
      lines[i] = ('From a Tue Feb  3 04:05:06 2026\nMessage-ID: <%d@example.org>\n\n%s\n'):format(
        i,
        ('x'):rep(500)
      )
    end
    write(dir .. '/in', table.concat(lines, '\n'))
    local ended = nvim.await(function(done, path)
      local seen
      local handle
      handle = require('himalaya.mail').import('home', 'Archive', path, {
        on_progress = function(passed)
          if not seen then
            seen = { passed = passed, jobs = require('himalaya.native').jobs.list(10).jobs }
            seen.alive = handle:cancel()
          end
        end,
      }, function(err)
        done({ code = err and err.code, seen = seen, again = handle:cancel() })
      end)
    end, dir .. '/in')
    assert.equal('cancelled', ended.code)
    assert.is_true(ended.seen.alive)
    assert.is_false(ended.again)
    assert.is_true(ended.seen.passed.done > 0 and ended.seen.passed.share < 1)
    assert.truthy(ended.seen.jobs[1].name:find('import .*/in into home/Archive'))
    local here = good(mail('count', 'home', 'Archive')).total
    assert.is_true(here > 0 and here < 8000)
  end)

  it('is moved by commands that say what came of it', function()
    start()
    sync()
    write(dir .. '/in', MBOX)
    nvim.lua('vim.notify = function(words) _G.said = (_G.said or "") .. words .. "\\n" end')
    local function said(words)
      nvim.wait_for(('return (_G.said or ""):find(%q, 1, true) ~= nil'):format(words))
    end
    nvim.lua(('vim.cmd.HimalayaImport({ args = { %q, "home/Archive" } })'):format(dir .. '/in'))
    said('3 messages brought into home/Archive.')
    nvim.lua(('vim.cmd.HimalayaExport({ args = { "home/Archive", %q } })'):format(dir .. '/out'))
    said('3 messages written to ' .. dir .. '/out.')
    nvim.lua(('vim.cmd.HimalayaExport({ args = { "home/Nowhere", %q } })'):format(dir .. '/x'))
    said('There is no folder Nowhere.')
    nvim.lua('vim.cmd.HimalayaImport({ args = { "/etc/passwd", "home/Archive" } })')
    said('/etc/passwd is no mbox.')
    nvim.lua('vim.cmd.HimalayaExport({ args = { "home/Archive", "/proc/none/x" } })')
    said('Cannot write /proc/none/x')
    nvim.lua('vim.cmd.HimalayaExport({ args = { "a", "b", "c" } })')
    said('Too many words')
    assert.is_nil(vim.uv.fs_stat(dir .. '/x'))
  end)

  it('leaves nothing half done behind a Neovim that was killed, and does the rest afterwards', function()
    local lines = {}
    for i = 1, 3000 do
      lines[i] = ('From a Tue Feb  3 04:05:06 2026\nMessage-ID: <%d@example.org>\n\n%s\n'):format(
        i,
        ('x'):rep(500)
      )
    end
    write(dir .. '/in', table.concat(lines, '\n'))
    -- One after the other on the same data.
    local function again()
      nvim = child.start({
        setup = {
          data_dir = dir .. '/data',
          accounts = { home = { email = 'home@example.org', imap = dovecot:imap('home') } },
          async = { enabled = false },
        },
      })
    end
    -- By itself, as soon as it has begun: whoever looks on from outside may look when all is done.
    local function kill_in(what, ...)
      nvim.lua(
        [[local what, arguments = ...
          arguments[#arguments].on_progress = function() vim.uv.kill(vim.uv.os_getpid(), 'sigkill') end
          table.insert(arguments, function() end)
          vim.defer_fn(function()
            require('himalaya.mail')[what](unpack(arguments))
          end, 1)]],
        what,
        { ... }
      )
      nvim.wait_exit()
      nvim.kill()
    end
    again()
    sync()
    kill_in('import', 'home', 'Archive', dir .. '/in', { ignored = true })
    again()
    local rest = good(mail('import', 'home', 'Archive', dir .. '/in', {}))
    assert.equal(3000, rest.imported + rest.skipped)
    assert.equal(3000, good(mail('count', 'home', 'Archive')).total)
    kill_in('export', 'home', 'Archive', { path = dir .. '/out' })
    assert.is_nil(vim.uv.fs_stat(dir .. '/out'))
    again()
    kill_in('export', 'home', 'Archive', { path = dir .. '/box/' })
    again()
    assert.equal(3000, good(mail('export', 'home', 'Archive', { path = dir .. '/out' })).exported)
    assert.is_nil(vim.uv.fs_stat(dir .. '/out.himalaya-part'))
    local box = good(mail('export', 'home', 'Archive', { path = dir .. '/box/' }))
    assert.equal(3000, box.exported + box.skipped)
    assert.equal(3000, #vim.fn.readdir(dir .. '/box/cur'))
  end)

  it('does not hold up :qa', function()
    start()
    sync()
    local lines = {}
    for i = 1, 3000 do
      lines[i] = ('From a Tue Feb  3 04:05:06 2026\nMessage-ID: <%d@example.org>\n\n%s\n'):format(i, i)
    end
    write(dir .. '/in', table.concat(lines, '\n'))
    nvim.lua(
      [[require('himalaya.mail').import('home', 'Archive', ..., {
        on_progress = function() vim.g.began = 1 end,
      }, function() end)]],
      dir .. '/in'
    )
    nvim.wait_for('return vim.g.began == 1')
    local began = vim.uv.hrtime()
    nvim.stop()
    assert.is_true((vim.uv.hrtime() - began) / 1e6 < child.limit(3000))
  end)
end)
