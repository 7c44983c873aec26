-- needs dovecot
-- Which texts are kept on this machine, and what becomes of those that are not, or are large or strange.
local child = require('tests.child')
local servers = require('tests.servers')
local client_support = require('tests.imap_support')
local support = require('tests.mail_support')
local good = support.good

local nvim, dovecot

local function start(account, imap, env)
  nvim = child.start({
    env = env,
    setup = {
      accounts = {
        home = vim.tbl_extend(
          'force',
          { email = 'home@example.org', imap = imap or dovecot:imap('home') },
          account or {}
        ),
      },
      async = { enabled = false },
      performance = { network_timeout = 3 },
    },
  })
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

local function with_text(folder)
  local here, all = 0, good(mail('list', 'home', folder or 'INBOX', { page_size = 500 })).items
  for _, item in ipairs(all) do
    here = here + (item.has_body and 1 or 0)
  end
  return here, all
end

local function deliver(message)
  return dovecot:ask({ ['do'] = 'deliver', user = 'home', message = message })
end

--- @return table item of the newest message
local function newest()
  return good(mail('list', 'home', 'INBOX', { page_size = 1 })).items[1]
end

before_each(function()
  dovecot = servers.dovecot({ users = { 'home' }, messages = 30 })
end)
after_each(function()
  child.stop_all()
  servers.stop()
end)

describe('the option bodies', function()
  it("'all' keeps every text", function()
    start({ bodies = 'all' })
    sync()
    assert.equal(30, (with_text()))
  end)

  it("'on_demand' keeps those that were opened", function()
    start({ bodies = 'on_demand' })
    sync()
    local here, items = with_text()
    assert.equal(0, here)
    good(mail('read', 'home', 'INBOX', items[3].id, {}))
    here, items = with_text()
    assert.equal(1, here)
    assert.is_true(items[3].has_body)
    sync()
    assert.equal(1, (with_text()))
  end)

  it('a number keeps those of so many days', function()
    dovecot:ask({ ['do'] = 'deliver', user = 'home', count = 4 })
    start({ bodies = 2 })
    sync()
    local here, items = with_text()
    assert.equal(34, #items)
    assert.equal(4, here)
    for at = 1, 4 do
      assert.is_true(items[at].has_body)
    end
  end)

  it('fetches what is missing when it asks for more than before, in every folder', function()
    dovecot:ask({ ['do'] = 'deliver', user = 'home', folder = 'Archive', count = 3 })
    start({ bodies = 'on_demand' })
    sync()
    assert.same({ 0, 0 }, { (with_text()), (with_text('Archive')) })
    nvim.lua(function(imap)
      require('himalaya').setup({
        accounts = { home = { email = 'home@example.org', imap = imap, bodies = 'all' } },
        async = { enabled = false },
      })
    end, dovecot:imap('home'))
    sync('inbox')
    assert.same({ 30, 0 }, { (with_text()), (with_text('Archive')) })
    sync()
    assert.same({ 30, 3 }, { (with_text()), (with_text('Archive')) })
  end)
end)

describe('a text that is not here', function()
  it('comes from the server in a trip or two, and stays', function()
    local proxy = servers.proxy({ to = dovecot.port })
    start(
      { bodies = 'on_demand' },
      vim.tbl_extend('force', dovecot:imap('home', { tls = 'none' }), { port = proxy.port })
    )
    sync()
    local _, items = with_text()
    good(mail('read', 'home', 'INBOX', items[1].id, {}))
    local before = proxy:ask({ ['do'] = 'report' })
    local text = good(mail('read', 'home', 'INBOX', items[2].id, {})).text
    local after = proxy:ask({ ['do'] = 'report' })
    assert.is_true(#text > 0)
    assert.is_true(after.round_trips - before.round_trips <= 1, vim.inspect({ before, after }))
    assert.equal(before.accepted, after.accepted)
    dovecot:stop()
    assert.equal(text, good(mail('read', 'home', 'INBOX', items[2].id, {})).text)
    local cache = nvim.lua('return require("himalaya").metrics().cache')
    assert.same({ hits = 2, misses = 0 }, cache.remote)
    assert.same({ hits = 0, misses = 2 }, cache.disk)
    assert.same({ 1, 2 }, { cache.memory.hits, cache.memory.misses })
    assert.is_true(cache.memory.bytes > 0)
  end)

  it('is a clear error without the server', function()
    start({ bodies = 'on_demand' })
    sync()
    local _, items = with_text()
    dovecot:stop()
    local answer = mail('read', 'home', 'INBOX', items[1].id, {})
    assert.equal('offline', answer.err.code)
    assert.is_true(#answer.err.message > 10 and #answer.err.hint > 10)
    assert.equal('offline', mail('save_attachment', 'home', 'INBOX', items[1].id, '1', '/nowhere/x').err.code)
    -- The list does not mind.
    assert.equal(30, #good(mail('list', 'home', 'INBOX', {})).items)
  end)

  it('says so when the message has gone from the server meanwhile', function()
    start({ bodies = 'on_demand' })
    sync()
    local _, items = with_text()
    dovecot:ask({
      ['do'] = 'doveadm',
      args = { 'expunge', '-u', 'home', 'mailbox', 'INBOX', 'uid', tostring(items[1].uid) },
    })
    local answer = mail('read', 'home', 'INBOX', items[1].id, {})
    assert.equal('not_found', answer.err.code)
  end)
end)

describe('a strange message', function()
  local function text_lines(bytes)
    local line = ('0123456789 '):rep(6) .. '\n'
    return line:rep(math.ceil(bytes / #line))
  end

  it('of 10 MB is read in slices that make the whole again', function()
    local body = text_lines(10 * 1024 * 1024)
    deliver('From: a@example.org\nSubject: long\nMessage-ID: <long@example.org>\n\n' .. body)
    start()
    sync()
    local whole = nvim.await(function(done, id)
      local parts, calls = {}, 0
      local function slice(offset)
        require('himalaya.mail').read('home', 'INBOX', id, { offset = offset }, function(err, result)
          if err then
            return done({ err = tostring(err) })
          end
          calls = calls + 1
          parts[#parts + 1] = result.text
          if result.more then
            return slice(result.next_offset)
          end
          local all = table.concat(parts)
          done({ calls = calls, size = #all, digest = vim.fn.sha256(all) })
        end)
      end
      slice(0)
    end, newest().id)
    assert.is_nil(whole.err)
    assert.equal(#body, whole.size)
    assert.equal(vim.fn.sha256(body), whole.digest)
    assert.is_true(whole.calls >= 40)
    -- Beyond the end there is nothing, and no error.
    local past = good(mail('read', 'home', 'INBOX', newest().id, { offset = 2 ^ 29 }))
    assert.same({ '', false }, { past.text, past.more })
  end)

  it('of 20 MB goes up to the server whole', function()
    local text = 'From: a@example.org\nSubject: long\n\n' .. text_lines(20 * 1024 * 1024)
    local path = vim.fn.tempname()
    local out = assert(io.open(path, 'wb'))
    out:write('From a@example.org Tue Feb  3 04:05:06 2026\n', text, '\n')
    out:close()
    start()
    sync()
    assert.equal(1, good(mail('import', 'home', 'Archive', path, {})).imported)
    vim.fn.delete(path)
    assert.equal(1, sync().uploaded)
    local client = client_support.open(dovecot)
    local err, messages = client_support.fetch(client, 'Archive', '1:*', { 'body' })
    assert.is_nil(err)
    assert.equal(1, #messages)
    local came = assert(io.open(messages[1].body_file, 'rb'))
    assert.is_true((came:read('*a'):gsub('\r\n', '\n')) == text)
    came:close()
    vim.fn.delete(messages[1].body_file)
    client:close()
  end)

  it('that does not shrink lies in a file of its own, and its attachment comes out whole', function()
    local noise = {}
    local seed = 7
    for at = 1, 3 * 1024 * 1024 do
      seed = (seed * 16807) % 2147483647
      noise[at] = string.char(seed % 251)
    end
    local bytes = table.concat(noise)
    local coded = vim.base64.encode(bytes):gsub(('.'):rep(76), '%0\n')
    deliver(table.concat({
      'From: a@example.org',
      'Subject: large',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'see below',
      '--b',
      'Content-Type: application/octet-stream; name="../../etc/noise"',
      'Content-Disposition: attachment; filename="../../etc/noise"',
      'Content-Transfer-Encoding: base64',
      '',
      coded,
      '--b--',
      '',
    }, '\n'))
    start()
    sync()
    local item = newest()
    local files =
      vim.fn.glob(nvim.lua('return vim.fn.stdpath("data")') .. '/himalaya/home/large/*', true, true)
    assert.equal(1, #files)
    assert.truthy(files[1]:find('/%x+$'))
    local message = good(mail('read', 'home', 'INBOX', item.id, {}))
    assert.equal('see below', vim.trim(message.text))
    assert.equal(1, #message.attachments)
    assert.equal(#bytes, message.attachments[1].size)
    local path = vim.fn.tempname()
    local saved = good(mail('save_attachment', 'home', 'INBOX', item.id, message.attachments[1].part, path))
    assert.same({ path, #bytes }, { saved.path, saved.size })
    local file = assert(io.open(path, 'rb'))
    assert.is_true(file:read('*a') == bytes)
    file:close()
    -- Never over a file, never into nothing, never half.
    assert.equal('store', mail('save_attachment', 'home', 'INBOX', item.id, '2', path).err.code)
    assert.equal('not_found', mail('save_attachment', 'home', 'INBOX', item.id, '9', path .. 'x').err.code)
    assert.is_not_nil(mail('save_attachment', 'home', 'INBOX', item.id, '2', '/proc/nowhere/x').err)
    local full = mail('save_attachment', 'home', 'INBOX', item.id, '2', '/dev/full')
    assert.is_not_nil(full.err)
    assert.is_nil(vim.uv.fs_stat(path .. 'x'))
    vim.fn.delete(path)
  end)

  it('of 10,000 parts is read', function()
    local parts = {}
    for at = 1, 10000 do
      parts[at] = ('--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=f%d\n\n%d\n'):format(
        at,
        at
      )
    end
    deliver(
      'From: a@example.org\nSubject: many\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n'
        .. table.concat(parts)
        .. '--b--\n'
    )
    start()
    sync()
    local message = good(mail('read', 'home', 'INBOX', newest().id, {}))
    assert.is_true(#message.attachments >= 9990)
    assert.equal('f9000', message.attachments[9000].name)
    -- As many tables as that are made over several turns, and what the test does with them is no work of ours. What a
    -- virtual machine is robbed of counts as its own time: what is ours is long each time.
    local loop = nvim.lua('return require("himalaya").metrics().loop')
    for _ = 1, 2 do
      if loop.longest_turn_ms < child.limit(4) then
        break
      end
      nvim.lua('require("himalaya.native").loop.reset_metrics()')
      good(mail('read', 'home', 'INBOX', newest().id, {}))
      loop = nvim.lua('return require("himalaya").metrics().loop')
    end
    assert.is_true(loop.longest_turn_ms < child.limit(4), vim.inspect({ loop.longest_turn_ms, loop.longest }))
    assert.is_true(loop.by_room.theirs.slices > 0)
  end)

  it('with neither subject nor sender nor date, or with NULs, is listed and read', function()
    deliver('\nonly text\n')
    deliver('X: y\n\n')
    start()
    sync()
    local items = good(mail('list', 'home', 'INBOX', { page_size = 2 })).items
    for _, item in ipairs(items) do
      assert.equal('', item.subject)
      assert.is_true(item.date > 0)
      good(mail('read', 'home', 'INBOX', item.id, {}))
    end
  end)
end)

describe('the reader of messages', function()
  -- What a build that was ended half way leaves behind: one shared object of now beside one of before.
  it('is refused when it is of other sources, and Neovim lives on', function()
    local build = vim.fn.tempname()
    vim.fn.mkdir(build, 'p')
    local real = vim.env.HIMALAYA_BUILD_DIR or (vim.env.HIMALAYA_ROOT .. '/build')
    for _, path in ipairs(vim.fn.glob(real .. '/himalaya_*', true, true)) do
      assert(vim.uv.fs_symlink(path, build .. '/' .. vim.fs.basename(path)))
    end
    local mime = build .. '/himalaya_mime.so'
    local file = assert(io.open(mime, 'rb'))
    local bytes = file:read('*a')
    file:close()
    local stamp = dofile(vim.env.HIMALAYA_ROOT .. '/lua/himalaya/stamp.lua')
    local stale, times = bytes:gsub(vim.pesc(stamp), ('0'):rep(#stamp))
    assert.equal(1, times)
    vim.uv.fs_unlink(mime)
    file = assert(io.open(mime, 'wb'))
    file:write(stale)
    file:close()

    start(nil, nil, { HIMALAYA_BUILD_DIR = build })
    sync()
    local answer = mail('read', 'home', 'INBOX', newest().id, {})
    assert.equal('internal', answer.err.code)
    assert.matches('himalaya_mime.so is of other sources', answer.err.message, 1, true)
    assert.matches(stamp, answer.err.message, 1, true)
    assert.matches('&& ./scripts/build', answer.err.hint, 1, true)
    assert.matches(vim.env.HIMALAYA_ROOT, answer.err.hint, 1, true)
    assert.equal(30, #good(mail('list', 'home', 'INBOX', {})).items)
    vim.fn.delete(build, 'rf')
  end)
end)
