-- What is told of a sync without being asked: progress, its end, the bell, failures; each only as often as it is news.
local Child = require('tests.child')
local ui_of = require('tests.ui')

local child, ui

-- A child whose sync status a test sets, with vim.notify kept in `said`.
local function start(setup)
  child = Child.start({
    setup = vim.tbl_extend('force', { accounts = { home = { maildir = '~/Mail' } } }, setup or {}),
  })
  child.lua(function()
    _G.said = {}
    vim.notify = function(text)
      _G.said[#_G.said + 1] = text
    end
    local manager = require('himalaya.sync.manager')
    _G.status = { state = 'idle' }
    manager.get_sync_status = function()
      return vim.deepcopy(_G.status)
    end
    _G.announce = require('himalaya.ui.announce')
    _G.announce.start()
    -- The way a sink is told, whatever this Neovim has.
    local sinks = require('himalaya.ui.sinks')
    _G.shown = {}
    _G.real_choose = sinks.choose
    sinks.choose = function()
      return {
        show = function(words, percent)
          table.insert(_G.shown, { words, percent })
        end,
        finish = function(words, failed)
          table.insert(_G.shown, { words, failed })
        end,
      }
    end
    function _G.sync(status)
      _G.status = status
      manager.notify_ui_update()
    end
    function _G.emit(name, data)
      require('himalaya.events').emit(name, data)
    end
  end)
end

local RUNNING = {
  state = 'syncing',
  folder = 'INBOX',
  operation = 'Downloaded',
  messages_done = 45,
  messages_total = 120,
  percent = 37.5,
}

describe('a sync', function()
  after_each(function()
    if ui then
      ui.close()
      ui = nil
    end
    Child.stop_all()
  end)

  it('that the user started tells how far it is and how it ended', function()
    start()
    child.lua('over = announce.asked() sync(...)', RUNNING)
    child.wait_for('return #shown == 1')
    assert.same({ 'INBOX - Downloaded 45/120', 37 }, child.lua('return shown[1]'))
    child.lua(function()
      _G.sync({ state = 'idle' })
      _G.emit('HimalayaSynced', { kind = 'full', accounts = { home = { new = 3 } }, duration_ms = 1 })
      _G.over()
    end)
    assert.same({ '✓ Synced; 3 new', false }, child.lua('return shown[2]'))
    assert.same({}, child.lua('return said'))
  end)

  it('in the background tells nothing but with notify.debug', function()
    for _, debug in ipairs({ false, true }) do
      start({ notify = { debug = debug } })
      child.lua('sync(...)', RUNNING)
      child.lua(function()
        -- What is told of a status is told within two of these.
        _G.passed = 0
        require('himalaya.ui.live').listen({
          sync = function()
            _G.passed = _G.passed + 1
          end,
        })
        _G.sync(_G.status)
      end)
      child.wait_for('return passed > 0')
      child.lua(function()
        _G.emit('HimalayaSynced', { kind = 'full', accounts = { home = { new = 3 } }, duration_ms = 1 })
        _G.emit('HimalayaNewMail', { account = 'home', folder = 'INBOX', ids = { 1 }, count = 1 })
      end)
      assert.equal(debug and 2 or 0, #child.lua('return shown'))
      assert.equal(debug and 2 or 0, #child.lua('return said'))
      Child.stop_all()
    end
  end)

  it('shows no progress with notify.progress off', function()
    start({ notify = { progress = false } })
    child.lua('announce.asked() sync(...)', RUNNING)
    child.lua(function()
      require('himalaya.ui.live').listen({
        sync = function()
          _G.passed = true
        end,
      })
      _G.sync(_G.status)
    end)
    child.wait_for('return passed')
    assert.same({}, child.lua('return shown'))
  end)

  it('tells a failure once, another one again, and none of being offline', function()
    start()
    child.lua(function()
      local errors = require('himalaya.errors')
      local function fail(code, message)
        local err = errors.new(code, message)
        _G.emit('HimalayaSyncFailed', { kind = 'full', accounts = { 'home' }, err = err })
      end
      require('himalaya').setup({ notify = { repeat_after = 0 } })
      fail('auth', 'The password is wrong.')
      fail('auth', 'The password is wrong.')
      fail('offline', 'No route.')
      fail('auth', 'The account is locked.')
      _G.emit('HimalayaSynced', { kind = 'full', accounts = { home = { new = 0 } }, duration_ms = 1 })
      fail('auth', 'The account is locked.')
    end)
    child.wait_for('return #said >= 3')
    assert.same({
      'himalaya: home: The password is wrong.',
      'himalaya: home: The account is locked.',
      'himalaya: home: The account is locked.',
    }, child.lua('return said'))
  end)

  it('tells a failure once its autocommand is over, which would be blamed for it', function()
    start()
    assert.equal(
      0,
      child.lua(function()
        local err = require('himalaya.errors').new('auth', 'The password is wrong.')
        _G.emit('HimalayaSyncFailed', { kind = 'full', accounts = { 'home' }, err = err })
        return #_G.said
      end)
    )
    child.wait_for('return #said == 1')
  end)

  it('that has ended is seen in its line for some seconds, in its colour', function()
    start()
    local shown = child.lua(function()
      _G.emit('HimalayaSynced', { kind = 'full', accounts = { home = { new = 0 } }, duration_ms = 1 })
      local line, group = require('himalaya.ui.format').sync(_G.announce.status())
      local later = vim.uv.hrtime() + 6e9
      vim.uv.hrtime = function()
        return later
      end
      return { line, group, _G.announce.status().ended == nil }
    end)
    assert.same({ '✓ Synced; nothing new', 'HimalayaSyncDone', true }, shown)
  end)

  it('rings for the end and for new mail with notify.bell, and types on', function()
    for _, bell in ipairs({ false, true }) do
      start({ notify = { bell = bell } })
      ui = ui_of.attach(child, 60, 8)
      ui.type('ihallo')
      ui.wait_for(function()
        return ui.find('hallo')
      end)
      child.lua(function()
        _G.announce.asked()
        _G.emit('HimalayaSynced', { kind = 'full', accounts = { home = { new = 1 } }, duration_ms = 1 })
        _G.emit('HimalayaNewMail', { account = 'home', folder = 'INBOX', ids = { 1 }, count = 1 })
      end)
      ui.type(' you')
      ui.wait_for(function()
        return ui.find('hallo you')
      end)
      assert.equal(bell and 2 or 0, ui.bells)
      assert.equal('i', child.request('nvim_get_mode').mode)
      ui.close()
      Child.stop_all()
    end
  end)
end)

describe('progress outside of our views', function()
  after_each(Child.stop_all)

  it('is fidget where that is installed', function()
    child = Child.start()
    local told = child.lua(function()
      local told = {}
      package.preload['fidget.progress'] = function()
        local handle = {}
        function handle.report(_, what)
          told[#told + 1] = { 'report', what.message, what.percentage }
        end
        function handle.finish()
          told[#told + 1] = { 'finish' }
        end
        return {
          handle = {
            create = function(what)
              told[#told + 1] = { 'create', what.message, what.percentage, what.lsp_client.name }
              return handle
            end,
          },
        }
      end
      local sink = require('himalaya.ui.sinks').choose()
      sink.show('INBOX', 10)
      sink.show('INBOX', 50)
      sink.finish('Synced', false)
      return told
    end)
    assert.same({
      { 'create', 'INBOX', 10, 'himalaya' },
      { 'report', 'INBOX', 50 },
      { 'report', 'Synced' },
      { 'finish' },
    }, told)
  end)

  it('is a message of one line from 0.12 on, else a line in the corner', function()
    child = Child.start()
    ui = ui_of.attach(child, 60, 8)
    child.lua(function()
      _G.seen = {}
      if vim.fn.has('nvim-0.12') == 1 then
        vim.api.nvim_create_autocmd('Progress', {
          callback = function(event)
            table.insert(_G.seen, { event.data.status, event.data.percent })
          end,
        })
      end
      _G.sink = require('himalaya.ui.sinks').choose()
      _G.sink.show(('a folder with a long name '):rep(10), 42)
    end)
    ui.wait_for(function()
      return ui.find('42%') and ui.find('a folder with')
    end)
    -- Nothing asks for a key.
    assert.equal('n', child.request('nvim_get_mode').mode)
    child.lua('sink.finish("Synced; 3 new", false)')
    ui.wait_for(function()
      return ui.find('Synced; 3 new')
    end)
    local windows = child.lua('return #vim.api.nvim_list_wins()')
    if vim.fn.has('nvim-0.12') == 1 then
      assert.equal('message', child.lua('return sink.name'))
      assert.same({ { 'running', 42 }, { 'success', 100 } }, child.lua('return seen'))
      assert.equal(1, windows)
    else
      assert.equal('corner', child.lua('return sink.name'))
      assert.equal(2, windows)
      -- The corner is the next one's, whose words may be shorter.
      child.lua('sink = require("himalaya.ui.sinks").choose() sink.show("next", 1)')
      assert.equal(2, child.lua('return #vim.api.nvim_list_wins()'))
      child.lua('sink.finish("over", false)')
      child.wait_for('return #vim.api.nvim_list_wins() == 1')
    end
    ui.close()
    ui = nil
  end)
end)

describe('the statusline', function()
  it('is drawn again when what it says is something else', function()
    start()
    ui = ui_of.attach(child, 60, 8)
    child.lua(function()
      vim.o.laststatus = 2
      vim.o.statusline = '%{v:lua.require("himalaya").statusline()}'
      vim.cmd.vsplit()
    end)
    ui.wait_for(function()
      return ui.line(7):find('Mail')
    end)
    child.lua(function()
      require('himalaya.core.state').update('home', { unread = 12 })
      require('himalaya.sync.manager').notify_ui_update()
    end)
    ui.wait_for(function()
      return ui.line(7):find('Mail 12.*Mail 12')
    end)
    ui.close()
    ui = nil
    Child.stop_all()
  end)
end)
