-- needs dovecot
-- What is done to mail from the screen: seen at once, put back when the server refuses, drawn line by line; and the
-- keys that do it, as the user wants them.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')

local dovecot ---@type table
local nvim ---@type table

local function start(opts)
  nvim = screens.start(dovecot, opts)
  nvim.open()
  nvim.sync()
end

--- Counts the lines of the list that are set from now on.
local function count_lines()
  nvim.lua(function()
    _G.set = {}
    vim.api.nvim_buf_attach(vim.fn.bufnr('himalaya://home/INBOX'), false, {
      on_lines = function(_, _, _, first, last, new)
        for line = first, math.max(last, new) - 1 do
          table.insert(_G.set, line + 1)
        end
      end,
    })
  end)
end

local function lines_set()
  return nvim.lua('return _G.set')
end

describe('an action', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 0 })
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Papers' } })
    for i = 1, 12 do
      screens.deliver(dovecot, { subject = ('numbered %d'):format(i) })
    end
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  it('that the server refuses is put back, and why is said', function()
    start()
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'delete', '-u', 'home', 'Papers' } })
    nvim.lua(function()
      vim.ui.select = function(items, _, done)
        for _, item in ipairs(items) do
          if item.path == 'Papers' then
            done(item)
          end
        end
      end
    end)
    nvim.search('numbered 5')
    nvim.type('m')
    nvim.wait_for_message('Moved 1 message to Papers')
    nvim.wait_for(function()
      return not table.concat(nvim.list(), '\n'):find('numbered 5', 1, true)
    end)
    nvim.type('s')
    nvim.wait_for_message('The server refused to move', 20000)
    nvim.wait_for(function()
      return table.concat(nvim.list(), '\n'):find('numbered 5', 1, true)
    end)
    dovecot:ask({ ['do'] = 'doveadm', args = { 'mailbox', 'create', '-u', 'home', 'Papers' } })
  end)

  it('sets the lines that it changes and no other, and the cursor stays', function()
    start()
    nvim.type('8G')
    count_lines()
    nvim.type('*')
    nvim.wait_for(function()
      return nvim.list()[8]:find('^%[ %] %*')
    end)
    local set = lines_set()
    assert.is_true(#set >= 1)
    for _, line in ipairs(set) do
      -- Above, only the counts and what sync does may change.
      assert.is_true(line == 8 or line == 2 or line == 3, line)
    end
    assert.equal(8, nvim.lua('return vim.fn.line(".")'))
    -- Of a message that leaves, no other line than its own and the counts.
    local below = nvim.list()[9]
    nvim.lua('_G.set = {}')
    nvim.type('d')
    nvim.wait_for(function()
      return nvim.list()[8] == below
    end)
    for _, line in ipairs(lines_set()) do
      assert.is_true(line == 8 or line <= 3, line)
    end
    assert.equal(below, nvim.lua('return vim.fn.getline(".")'))
    nvim.type('U')
    nvim.wait_for_text('12 emails')
    nvim.type('4G*')
    nvim.wait_for_text('12 emails')
  end)

  it('leaves selected what was selected since it was asked for', function()
    start()
    nvim.type('4Gn*n')
    nvim.wait_for(function()
      return nvim.list()[4]:find('^%[ %] %*') and nvim.list()[5]:find('^%[x%]')
    end)
    nvim.type('d')
    nvim.wait_for_message('Deleted 1 message')
    nvim.wait_for_text('11 emails')
    assert.matches('^%[ %] %*', nvim.list()[4])
  end)

  it('is about the rows that are shown, also while those of another page are being made', function()
    start({ setup = { ui = { page_size = 5 } } })
    local first = nvim.list()[4]
    nvim.lua(function()
      local loop = require('himalaya.native').loop
      local complete, held = loop.complete, {}
      loop.complete = function(...)
        table.insert(held, { ... })
      end
      _G.go_on = function()
        loop.complete = complete
        for _, call in ipairs(held) do
          complete(unpack(call))
        end
      end
    end)
    nvim.type('4G<C-d>')
    nvim.wait_for(function()
      return nvim.lua(function()
        local list = require('himalaya.ui.list').of(vim.api.nvim_get_current_buf())
        return list.laying ~= nil and list.items[1].id ~= list.view.shown[4].key
      end)
    end)
    assert.equal(first, nvim.list()[4])
    nvim.type('d')
    nvim.wait_for_message('Deleted 1 message')
    nvim.lua('_G.go_on()')
    nvim.wait_for_text('11 emails')
    nvim.type('<C-u>')
    nvim.wait_for(function()
      local text = table.concat(nvim.list(), '\n')
      return text:find('Page 1 / 3', 1, true) and text:find('numbered', 1, true)
    end)
    assert.are_not.equal(first, nvim.list()[4])
  end)

  it('is done to as many messages as its key was typed, however fast', function()
    start()
    local rows = vim.list_slice(nvim.list(), 4, 9)
    nvim.type('4Gddad')
    nvim.wait_for_text('8 emails')
    assert.equal(rows[5], nvim.list()[4])
    assert.equal(rows[5], nvim.lua('return vim.fn.getline(".")'))
    -- What is taken back is what the key before did.
    nvim.type('aU')
    nvim.wait_for(function()
      return nvim.messages():find('Took back: move of 1 message', 1, true)
    end)
    nvim.wait_for(function()
      return vim.deep_equal({ rows[5], rows[6] }, vim.list_slice(nvim.list(), 4, 5))
    end)
    nvim.type('4G')
    -- A range, what is selected, and the last one, below which there is none.
    nvim.type('Vjd')
    nvim.wait_for_text('6 emails')
    nvim.type('4Gnnd')
    nvim.wait_for_text('4 emails')
    nvim.type('Gkd')
    nvim.wait_for_text('3 emails')
    nvim.type('4Gddd')
    nvim.wait_for_text('No messages.')
    assert.is_nil(nvim.messages():find('Nothing was', 1, true))
  end)

  it('is done by the keys that the user gave it', function()
    start({
      lines = 50,
      setup = {
        keymaps = { list = { d = false, X = 'delete', ['<C-x>'] = 'open' } },
      },
    })
    local before = nvim.list()[4]
    -- What is left of it is Neovim's own, which waits for a motion.
    nvim.type('4Gd<Esc>')
    assert.equal(before, nvim.list()[4])
    nvim.type('4GX')
    nvim.wait_for_message('Deleted 1 message')
    nvim.wait_for_text('11 emails')
    nvim.type('U')
    nvim.wait_for_text('12 emails')
    nvim.lua([[vim.keymap.set('n', 'gy', '<Plug>(himalaya-list-flagged)', { buffer = 0 })]])
    nvim.type('4Ggy')
    nvim.wait_for(function()
      return nvim.list()[4]:find('^%[ %] %*')
    end)
    nvim.type('g?')
    nvim.wait_for(function()
      return nvim.text():find('X +Delete')
    end)
    assert.is_nil(nvim.text():find('│ d +Delete'))
    nvim.type('q4G<C-x>')
    nvim.wait_for_filetype('message')
    -- A user's FileType autocommand has the last word on maps.
    nvim.lua(function()
      vim.api.nvim_create_autocmd('FileType', {
        pattern = 'himalaya-list',
        callback = function(event)
          vim.keymap.set('n', 'q', '<Cmd>let g:mine = 1<CR>', { buffer = event.buf, nowait = true })
        end,
      })
    end)
    nvim.cmd('edit himalaya://home/Papers')
    nvim.wait_for_filetype('list')
    nvim.type('q')
    nvim.wait_for('return vim.g.mine == 1')
  end)
end)
