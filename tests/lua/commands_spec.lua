-- The commands and keys as a user meets them, in a Neovim of its own.
local Child = require('tests.child')

local function text(child)
  return child.lua('return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")')
end

describe(':HimalayaLog', function()
  it('shows what was said, also what was held back, and follows', function()
    local child = Child.start()
    child.lua('require("himalaya.notify").background("behind the curtain")')
    child.lua('vim.cmd("HimalayaLog")')
    assert.matches('%d%d:%d%d:%d%d%.%d%d%d debug notify behind the curtain %(not shown%)', text(child))
    assert.equal('himalaya-log', child.lua('return vim.bo.filetype'))
    assert.is_false(child.lua('return vim.bo.modifiable'))

    child.lua('require("himalaya.notify").error("first\\nsecond")')
    child.wait_for(function()
      return text(child):find('error notify first second', 1, true)
    end)
    assert.equal(child.lua('return vim.fn.line("$")'), child.lua('return vim.fn.line(".")'))

    -- A cursor that was moved away stays where it is.
    child.lua('vim.cmd.normal({ "gg", bang = true })')
    child.lua('require("himalaya.notify").error("third")')
    child.wait_for(function()
      return text(child):find('third', 1, true)
    end)
    assert.equal(1, child.lua('return vim.fn.line(".")'))
    child.stop()
  end)

  it('shows the lines of the native module among the others, also very many', function()
    local child = Child.start()
    child.lua(function()
      local native = require('himalaya.native')
      native.log.add('warn', 'imap', 'first of all')
      require('himalaya.notify').error('said')
      vim.cmd('HimalayaLog')
    end)
    assert.matches('warn  imap   first of all\n.*error notify said$', text(child))
    child.lua('require("himalaya.native").log.add("error", "store", "one more")')
    child.wait_for(function()
      return text(child):find('error store  one more', 1, true)
    end)
    child.lua(function()
      for i = 1, 1500 do
        require('himalaya.native').log.add('info', 'jobs', 'line ' .. i)
      end
    end)
    child.wait_for(function()
      return text(child):find('line 1500', 1, true)
    end)
    local shown = text(child)
    assert.is_truthy(shown:find('first of all', 1, true))
    assert.equal(1, select(2, shown:gsub('one more', '')))
    assert.equal(1500, select(2, shown:gsub('info  jobs   line ', '')))
    child.stop()
  end)

  it('has more to show with notify.debug', function()
    local function shown(debug, again)
      local child = Child.start({ setup = { notify = { debug = debug } } })
      child.lua(function(then_debug)
        local native = require('himalaya.native')
        if then_debug ~= nil then
          require('himalaya').setup({ notify = { debug = then_debug } })
        end
        native.log.add('debug', 'jobs', 'a detail')
        vim.cmd('HimalayaLog')
      end, again)
      local found = text(child):find('a detail', 1, true) ~= nil
      child.stop()
      return found
    end
    assert.is_true(shown(true))
    assert.is_false(shown(false))
    assert.is_true(shown(false, true))
    assert.is_false(shown(true, false))
  end)

  it('opens once and closes by its key', function()
    local child = Child.start()
    child.lua('vim.cmd("HimalayaLog")')
    assert.equal('Nothing happened yet.', text(child))
    child.lua('vim.cmd("wincmd p")')
    child.lua('vim.cmd("HimalayaLog")')
    assert.equal(2, child.lua('return #vim.api.nvim_list_wins()'))
    child.type('q')
    child.wait_for('return #vim.api.nvim_list_wins() == 1')
    child.lua('vim.cmd("HimalayaLog")')
    assert.equal('himalaya-log', child.lua('return vim.bo.filetype'))
    child.stop()
  end)

  it('is closed without harm while it follows, even as the last window', function()
    local child = Child.start()
    child.lua('vim.cmd("HimalayaLog")')
    child.lua('vim.cmd("only")')
    child.lua('vim.cmd("bwipeout!")')
    child.lua('vim.cmd("HimalayaLog")')
    child.lua('vim.cmd("hide")')
    assert.equal('', child.lua('return vim.v.errmsg'))
    assert.equal(0, (child.stop()))
  end)
end)

describe('keys', function()
  local SETUP = {
    keymaps = { log = { ['<c-x>'] = 'close', q = false } },
  }

  it('are changed and removed by keymaps', function()
    local child = Child.start({ setup = SETUP })
    child.lua('vim.cmd("HimalayaLog")')
    assert.equal('', child.lua('return vim.fn.maparg("q", "n")'))
    child.type('<C-x>')
    child.wait_for('return #vim.api.nvim_list_wins() == 1')
    child.stop()
  end)

  it('may be a function of the user, and are <Plug> maps otherwise', function()
    local child = Child.start()
    child.lua(function()
      require('himalaya').setup({
        keymaps = {
          log = {
            a = function()
              _G.pressed = true
            end,
          },
        },
      })
      vim.cmd('HimalayaLog')
    end)
    child.type('a')
    child.wait_for('return _G.pressed')
    assert.is_true(child.lua('return vim.fn.maparg("<Plug>(himalaya-log-close)", "n") ~= ""'))
    child.stop()
  end)

  it('are listed by g? as they are now', function()
    local child = Child.start({ setup = SETUP })
    child.lua('vim.cmd("HimalayaLog")')
    child.type('g?')
    child.wait_for('return vim.bo.filetype == "himalaya-help"')
    assert.equal(' g?     Show these keys\n <C-X>  Close', text(child))
    child.type('<Esc>')
    child.wait_for('return vim.bo.filetype == "himalaya-log"')
    child.stop()
  end)

  it('that name no view or no action are told with the nearest', function()
    local config = require('himalaya.config')
    config.set({ keymaps = { logs = { x = 'close' }, log = { x = 'clos', q = false }, jobs = { y = 1 } } })
    local messages = vim.tbl_map(function(problem)
      return problem.message
    end, config.problems())
    assert.same({
      '`keymaps.jobs.y` must be a string, false or a function, not 1.',
      '`keymaps.log["x"]` names no action of that view; the nearest is \'close\'.',
      '`keymaps.logs` is not an option; the nearest is `keymaps.log`.',
    }, messages)
    assert.same({ log = { q = false }, jobs = {} }, config.get().keymaps)
    config.set({})
  end)
end)

describe('a <Plug> map', function()
  it('gives its command', function()
    local child = Child.start({ init = 'vim.keymap.set("n", "<leader>l", "<Plug>(himalaya-log)")' })
    child.type(' l')
    child.wait_for('return vim.bo.filetype == "himalaya-log"')
    child.stop()
  end)
end)

describe('the log', function()
  it('is left for the window that it was opened from', function()
    local child = Child.start()
    local window = child.lua('vim.cmd("vsplit | wincmd l") return vim.api.nvim_get_current_win()')
    child.type(':HimalayaLog<CR>')
    child.wait_for('return vim.bo.filetype == "himalaya-log"')
    child.type('q')
    child.wait_for('return vim.bo.filetype ~= "himalaya-log"')
    assert.equal(window, child.lua('return vim.api.nvim_get_current_win()'))
    child.stop()
  end)
end)

describe('a command that needs the native module', function()
  it('says in one message that it is not there and what mends it', function()
    local child = Child.start({ env = { HIMALAYA_BUILD_DIR = '/nowhere' } })
    local said = child.lua(function()
      local said = {}
      vim.notify = function(message)
        said[#said + 1] = message
      end
      package.preload['himalaya.ui.log'] = function()
        require('himalaya.native')
      end
      vim.cmd('HimalayaLog')
      return said
    end)
    assert.equal(1, #said)
    assert.matches(
      '^himalaya: :HimalayaLog cannot go on: .*the module is not built: .*scripts/build',
      said[1]
    )
    child.stop()
  end)
end)
