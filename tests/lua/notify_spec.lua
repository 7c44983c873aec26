-- What is said, when, and how often; and what reaches those who listen to events.
local Child = require('tests.child')

describe('messages', function()
  local child

  before_each(function()
    child = Child.start()
    child.lua(function()
      _G.said = {}
      vim.notify = function(text, level, opts)
        _G.said[#_G.said + 1] = { text, level, opts.title }
      end
    end)
  end)

  after_each(function()
    child.stop()
  end)

  it('of three kinds are always shown, of two only with notify.debug', function()
    local function say_all(debug)
      return child.lua(function(on)
        require('himalaya').setup({ notify = { debug = on } })
        _G.said = {}
        local notify = require('himalaya.notify')
        notify.error('an error ' .. tostring(on))
        notify.warn('a warning ' .. tostring(on))
        notify.action('an action ' .. tostring(on))
        notify.status('a status ' .. tostring(on))
        notify.background('a background ' .. tostring(on))
        return _G.said
      end, debug)
    end
    local levels = vim.log.levels
    assert.same({
      { 'himalaya: an error false', levels.ERROR, 'himalaya' },
      { 'himalaya: a warning false', levels.WARN, 'himalaya' },
      { 'himalaya: an action false', levels.INFO, 'himalaya' },
    }, say_all(false))
    assert.equal(5, #say_all(true))
  end)

  it('are said once per notify.repeat_after', function()
    local said = child.lua(function()
      local notify = require('himalaya.notify')
      for _ = 1, 5 do
        notify.error('No route to imap.example.org.')
      end
      local once = #_G.said
      require('himalaya').setup({ notify = { repeat_after = 0 } })
      notify.error('No route to imap.example.org.')
      notify.error('No route to imap.example.org.')
      return { once, #_G.said, _G.said[2][1], #notify.history() }
    end)
    assert.same({ 1, 3, 'himalaya: No route to imap.example.org. (4 times more since)', 7 }, said)
  end)

  it('of what the user did are said again when something else was said since', function()
    local said = child.lua(function()
      local notify = require('himalaya.notify')
      notify.action('Deleted one message; U takes it back.')
      notify.action('Deleted one message; U takes it back.')
      notify.action('Took it back.')
      notify.action('Deleted one message; U takes it back.')
      notify.error('No route.')
      notify.action('Took it back.')
      notify.error('No route.')
      return #_G.said
    end)
    assert.equal(5, said)
  end)

  it('that answer a command are said each time', function()
    for _ = 1, 2 do
      pcall(child.cmd, 'HimalayaSyncInbox nobody')
      pcall(child.cmd, 'Himalaya')
    end
    assert.equal(4, child.lua('return #_G.said'))
  end)

  it('are no more than notify.per_minute', function()
    local said = child.lua(function()
      require('himalaya').setup({ notify = { per_minute = 3 } })
      for i = 1, 10 do
        require('himalaya.notify').error('failure ' .. i)
      end
      return { #_G.said, #require('himalaya.notify').history() }
    end)
    assert.same({ 3, 10 }, said)
  end)

  it('of an error tell what to do next and keep control characters out', function()
    local said = child.lua(function()
      local errors = require('himalaya.errors')
      local err = errors.new('auth', 'The server said: "\27[31mno\r\n".', 'Make an app password.')
      require('himalaya.notify').report(err, 'The folder could not be opened')
      return { _G.said[1][1], tostring(err), err.code, err.retryable }
    end)
    assert.equal(
      'himalaya: The folder could not be opened: The server said: " [31mno ". Make an app password.',
      said[1]
    )
    assert.equal('The server said: "\27[31mno\r\n".', said[2])
    assert.equal('auth', said[3])
    assert.is_false(said[4])
  end)

  it('may come from a callback of the loop', function()
    child.lua(function()
      vim.uv.new_timer():start(0, 0, function()
        require('himalaya.notify').error('from the loop')
      end)
    end)
    child.wait_for('return #_G.said == 1')
  end)
end)

describe('an event', function()
  local events = require('himalaya.events')

  it('reaches listeners with its data', function()
    local got
    local id = vim.api.nvim_create_autocmd('User', {
      pattern = 'HimalayaNewMail',
      callback = function(event)
        got = event.data
      end,
    })
    events.emit('HimalayaNewMail', { account = 'home', folder = 'INBOX', ids = { 7 }, count = 1 })
    vim.api.nvim_del_autocmd(id)
    assert.same({ account = 'home', folder = 'INBOX', ids = { 7 }, count = 1 }, got)
  end)

  it('survives a listener that raises', function()
    local child = Child.start()
    local reached = child.lua(function()
      local reached = false
      vim.api.nvim_create_autocmd('User', {
        pattern = 'HimalayaSyncStart',
        callback = function()
          error('broken listener')
        end,
      })
      vim.api.nvim_create_autocmd('User', {
        pattern = 'HimalayaSyncStart',
        callback = function()
          reached = true
        end,
      })
      require('himalaya.events').emit('HimalayaSyncStart', { kind = 'inbox', accounts = {} })
      return reached
    end)
    assert.is_true(reached)
    assert.matches('broken listener', child.lua('return vim.fn.execute("messages")'))
    child.stop()
  end)

  it('has a name that is documented', function()
    assert.has_error(function()
      events.emit('HimalayaNothing', {})
    end)
  end)
end)

describe('error codes', function()
  it('are those of the native module', function()
    local known = {}
    for line in io.lines(vim.env.HIMALAYA_ROOT .. '/cpp/base/error.hpp') do
      local code = line:match('^    ([a-z_]+),? +//')
      if code then
        known[#known + 1] = code
      end
    end
    local ours = vim.tbl_map(function(row)
      return row[1]
    end, require('himalaya.errors').codes)
    assert.same(known, ours)
  end)
end)

describe('messages that nobody asked for', function()
  local child, ui

  after_each(function()
    ui.close()
    child.stop()
  end)

  it('never stop whoever types, however long they are and however many come at once', function()
    child = Child.start()
    ui = require('tests.ui').attach(child, 60, 12)
    child.lua(function()
      local notify = require('himalaya.notify')
      notify.error(('of many words '):rep(20))
      notify.warn('the second')
      notify.error(('字'):rep(80))
      notify.warn('the last')
    end)
    ui.wait_for(function()
      return ui.find('the last')
    end)
    assert.is_false(child.request('nvim_get_mode').blocking)
    local messages = child.messages()
    assert.matches('of many words of .*… :HimalayaLog\n', messages)
    assert.matches('字 … :HimalayaLog\n', messages)
    local whole = child.lua('return require("himalaya.notify").history()[1].text')
    assert.equal(('of many words '):rep(20), whole)
  end)

  it('do not follow the answer to a command in the same breath', function()
    child = Child.start()
    ui = require('tests.ui').attach(child, 60, 12)
    child.lua(function()
      local notify = require('himalaya.notify')
      notify.error('the answer', { asked = true })
      notify.warn('of itself')
    end)
    ui.wait_for(function()
      return ui.find('of itself')
    end)
    assert.is_false(child.request('nvim_get_mode').blocking)
    assert.matches('the answer\n.*of itself', child.messages())
  end)

  it('are no longer than a line where they answer a command, also where there is no command line', function()
    child = Child.start()
    ui = require('tests.ui').attach(child, 60, 12)
    child.lua(function()
      require('himalaya.notify').error(('of many words '):rep(20), { asked = true })
    end)
    ui.wait_for(function()
      return ui.find('of many words')
    end)
    assert.is_false(child.request('nvim_get_mode').blocking)
    assert.matches('of many words of .*… :HimalayaLog', child.messages())
    for _, height in ipairs({ 1, 0 }) do
      child.cmd('messages clear')
      child.lua('vim.o.cmdheight = ...', height)
      child.type(':HimalayaSyncInbox nobody<CR>')
      child.wait_for(function()
        assert.is_false(child.request('nvim_get_mode').blocking)
        return child.messages():find('himalaya: There is no account `nobody`.', 1, true)
      end)
      ui.wait_for(function()
        return ui.find('There is no account')
      end)
      assert.is_false(child.request('nvim_get_mode').blocking)
    end
  end)
end)
