-- himalaya.sync.manager and himalaya.mail without a server: what sources written outside tell, what callers get wrong,
-- and a module that is not built.
local Child = require('tests.child')

local HOME = { email = 'home@example.org', imap = { host = '127.0.0.1', port = 1, auth = { value = 'x' } } }

describe('a source written outside', function()
  local child

  before_each(function()
    child = Child.start({ setup = { accounts = { home = HOME }, async = { enabled = false } } })
  end)
  after_each(function()
    child.stop()
  end)

  it('is shown while it tells of itself, and its end is an event', function()
    local shown = child.lua(function()
      local manager, told, events = require('himalaya.sync.manager'), {}, {}
      vim.api.nvim_create_autocmd('User', {
        pattern = 'Himalaya*',
        callback = function(event)
          table.insert(events, { event.match, event.data })
        end,
      })
      local function tell(progress)
        manager.update_progress(progress)
        table.insert(told, manager.get_sync_status())
      end
      tell({
        kind = 'full',
        account = 'home',
        operation = 'Reading',
        messages_done = 5,
        messages_total = 10,
        percent = 50,
      })
      tell({ folder = 'Sent', percent = 40 })
      local short = manager.get_sync_info()
      manager.complete_sync('full', { new = 3 })
      return { told = told, short = short, after = manager.get_sync_status(), events = events }
    end)
    local first, second = unpack(shown.told)
    assert.same(
      { 'external', 'full', { 'home' }, 50 },
      { first.state, first.kind, first.accounts, first.percent }
    )
    assert.same(
      { 'external', 'Reading', 'Sent', 50 },
      { second.state, second.operation, second.folder, second.percent }
    )
    assert.same(
      { 'full', 'external', 50 },
      { shown.short.type, shown.short.status, shown.short.progress.percent }
    )
    assert.equal('idle', shown.after.state)
    assert.is_nil(shown.after.percent)
    assert.same({
      { 'HimalayaSynced', { kind = 'full', accounts = { home = { new = 3 } }, duration_ms = 0 } },
    }, shown.events)
  end)

  it('is told by name what it says wrongly', function()
    local said = child.lua(function()
      local manager, said = require('himalaya.sync.manager'), {}
      for _, call in ipairs({
        { 'update_progress' },
        { 'update_progress', 'half' },
        { 'update_progress', { percent = 'half' } },
        { 'update_progress', { kind = 'most' } },
        { 'complete_sync' },
        { 'complete_sync', 'most' },
        { 'complete_sync', 'full', 'well' },
        { 'on_change' },
      }) do
        local ok, problem = pcall(manager[call[1]], call[2], call[3])
        table.insert(said, ok and 'nothing' or (problem:gsub('^.-%.lua:%d+: ', '')))
      end
      table.insert(said, manager.get_sync_status().state)
      return said
    end)
    assert.same({
      'p: expected a table',
      'p: expected a table',
      'p.percent: expected a number',
      "p.kind: expected 'inbox', 'full' or 'folder'",
      "kind: expected 'inbox', 'full' or 'folder'",
      "kind: expected 'inbox', 'full' or 'folder'",
      'result: expected a table',
      'fn: expected a function',
      'idle',
    }, said)
  end)
end)

describe('a module that is not built', function()
  it('is an error for whoever waits for mail, each time, with the command that mends it', function()
    local child = Child.start({
      setup = { accounts = { home = HOME }, async = { enabled = false } },
      env = { HIMALAYA_BUILD_DIR = '/nonexistent' },
    })
    for _ = 1, 2 do
      local listing, sync = child.await(function(done)
        require('himalaya.mail').list('home', 'INBOX', {}, function(err)
          local listed = { code = err.code, message = err.message, hint = err.hint }
          require('himalaya.sync.manager').start_sync('full', {}, function(failure)
            vim.schedule(function()
              done(listed, { code = failure.code, state = require('himalaya').status().sync.state })
            end)
          end)
        end)
      end)
      assert.equal('internal', listing.code)
      assert.matches('^The module is not built: .*himalaya_native.so is missing%.$', listing.message)
      assert.matches('scripts/build`, then start Neovim again%.$', listing.hint)
      assert.same({ code = 'internal', state = 'idle' }, sync)
    end
    child.stop()
  end)
end)
