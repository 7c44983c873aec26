-- What the specs of himalaya.imap share: calls awaited, and the one scenario that every server must pass.
-- busted's own words are a spec's, so `words` brings them: { describe =, it =, setup =, teardown = }.
local assert = require('luassert')
local child = require('tests.child')
local servers = require('tests.servers')
local imap = require('himalaya.imap')

local M = {}

local ITEMS = { 'flags', 'envelope', 'size', 'internaldate', 'bodystructure' }

--- Calls fn(..., callback) and gives what the callback got; raises when it is called twice.
function M.await(fn, ...)
  local got
  local arguments = { ... }
  table.insert(arguments, function(...)
    assert.is_nil(got, 'the callback was called twice')
    got = { ... }
  end)
  local handle = fn(unpack(arguments))
  child.wait_for(function()
    return got
  end, 20000, 'the callback')
  return got[1], got[2], handle
end

--- The same, where an error is a failure of the test.
function M.result(fn, ...)
  local err, value = M.await(fn, ...)
  assert.is_nil(err, err and (err.code .. ': ' .. err.message))
  return value
end

function M.open(server, change)
  return M.result(
    imap.open,
    server:imap('home', vim.tbl_extend('force', { network_timeout = 10 }, change or {}))
  )
end

function M.fetch(client, folder, uids, items)
  local messages = {}
  local err, value
  err, value = M.await(function(cb)
    return client:fetch(folder, uids, items, function(m)
      messages[#messages + 1] = m
    end, cb)
  end)
  return err, messages, value
end

--- What an ordinary day asks of a server; the first error, or what was found.
function M.day(server, change)
  local options = vim.tbl_extend('force', { network_timeout = 2, poll_interval = 0.2 }, change or {})
  local err, client = M.await(imap.open, server:imap('home', options))
  if err then
    return err
  end
  local found = {}
  local function step(name, ...)
    if not err then
      err, found[name] = M.await(client[name], client, ...)
    end
  end
  step('list', '*', { status = true })
  step('status', 'INBOX')
  if not err then
    err, found.messages = M.fetch(client, 'INBOX', '1:*', ITEMS)
  end
  if not err then
    err, found.bodies = M.fetch(client, 'INBOX', '1:*', { 'size', 'body' })
  end
  step('search', 'INBOX', 'ALL')
  step('copy', 'INBOX', found.search and { found.search[1], found.search[2] }, 'Archive')
  step('append', 'Sent', 'Subject: put here\r\n\r\ntext\r\n', {})
  step('capabilities')
  found.stats = client:stats()
  local closed
  client:close(function()
    closed = true
  end)
  child.wait_for(function()
    return closed
  end, 10000, 'the client to close')
  return err, found
end

--- Whatever a server has or lacks, the same calls give the same results.
function M.every_call_works(words, name, start)
  local describe, it, setup, teardown = words.describe, words.it, words.setup, words.teardown
  local result, await, fetch = M.result, M.await, M.fetch
  describe('the client with ' .. name, function()
    local server, client

    setup(function()
      server = start()
      client = M.open(server, { poll_interval = 0.2 })
    end)
    teardown(function()
      if client then
        client:close()
      end
      servers.stop()
    end)

    it('knows the folders and what is in them', function()
      local folders = result(client.list, client, '*', { status = true })
      local inbox
      for _, folder in ipairs(folders) do
        if folder.role == 'inbox' then
          inbox = folder
        end
      end
      assert.equal('INBOX', inbox.name)
      assert.equal(30, inbox.messages)
      assert.equal(30, result(client.status, client, 'INBOX').messages)
      local err = await(client.status, client, 'No such folder')
      assert.is_truthy(err and (err.code == 'not_found' or err.code == 'invalid'))
    end)

    it('fetches every message once, with what was asked for', function()
      local err, messages, value =
        fetch(client, 'INBOX', '1:*', { 'flags', 'envelope', 'size', 'internaldate', 'bodystructure' })
      assert.is_nil(err)
      assert.equal(30, value.messages)
      local seen = {}
      for _, m in ipairs(messages) do
        assert.is_nil(seen[m.uid])
        seen[m.uid] = true
        assert.is_truthy(m.envelope.from[1].addr:find('@', 1, true))
        assert.is_truthy(m.size > 0)
        assert.is_table(m.flags)
        assert.is_truthy(m.bodystructure.type)
      end
      assert.equal(30, #messages)
    end)

    it('fetches whole bodies', function()
      local _, messages = fetch(client, 'INBOX', '1:*', { 'size', 'body' })
      assert.equal(30, #messages)
      for _, m in ipairs(messages) do
        assert.equal(m.size, #m.body)
      end
    end)

    it('searches, marks, copies, moves, appends and expunges', function()
      local all = result(client.search, client, 'INBOX', 'ALL')
      assert.equal(30, #all)
      local one, two = all[1], all[2]
      result(client.store, client, 'INBOX', { one, two }, { add = { '\\Flagged' } })
      local flagged = result(client.search, client, 'INBOX', { flagged = true })
      assert.is_truthy(vim.tbl_contains(flagged, one) and vim.tbl_contains(flagged, two))
      result(client.store, client, 'INBOX', { one }, { remove = { 'flagged' } })
      assert.is_falsy(vim.tbl_contains(result(client.search, client, 'INBOX', { flagged = true }), one))

      result(client.create, client, 'Work & more')
      result(client.copy, client, 'INBOX', { one }, 'Work & more')
      result(client.move, client, 'INBOX', { two }, 'Work & more')
      assert.equal(2, result(client.status, client, 'Work & more').messages)
      assert.is_falsy(vim.tbl_contains(result(client.search, client, 'INBOX', 'ALL'), two))

      local text = 'From: a@example.org\r\nSubject: put here\r\n\r\nhello\r\n'
      result(client.append, client, 'Work & more', text, { flags = { 'seen' } })
      local _, found = fetch(client, 'Work & more', '1:*', { 'flags', 'body' })
      assert.equal(3, #found)
      local appended
      for _, m in ipairs(found) do
        if m.body == text then
          appended = m
        end
      end
      assert.is_true(appended.flags.seen)
      assert.is_true(result(client.expunge, client, 'Work & more', { appended.uid }).expunged)
      assert.equal(2, result(client.status, client, 'Work & more').messages)
    end)

    it('tells of new mail', function()
      local changes = {}
      local watch = client:watch('INBOX', function(change)
        changes[#changes + 1] = change
      end)
      child.wait_for(function()
        return client:stats().mode ~= 'none'
      end, 10000, 'the watch to begin')
      local before = result(client.status, client, 'INBOX').messages
      server:ask({ ['do'] = 'deliver', user = 'home', count = 1 })
      child.wait_for(function()
        for _, change in ipairs(changes) do
          if change.exists and change.exists > before then
            return true
          end
        end
      end, 10000, 'news of the new message')
      assert.is_true(watch:cancel())
      assert.is_false(watch:cancel())
    end)
  end)
end

return M
