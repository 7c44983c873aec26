-- needs dovecot
-- Lists that are left and come back: by :Himalaya, by a buffer command, by another account in between. The cursor is on
-- the message it was on, so that the next key means what it meant.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')

local nvim, dovecot

--- The id under the cursor of the current window, nil on any other line.
local function here()
  local id = nvim.lua(function()
    local list = require('himalaya.ui.list').of(vim.api.nvim_get_current_buf())
    local item = list and list:item_here()
    return item and item.id
  end)
  return id ~= vim.NIL and id or nil
end

local function wait_until_on(id, after)
  nvim.wait_for(function()
    return here() == id
  end, 5000, ('the cursor to be on its message after %s'):format(after))
end

describe('a list that comes back', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home', 'office' }, messages = 30 })
  end)
  teardown(servers.stop)
  before_each(function()
    nvim = screens.start(dovecot, {
      columns = 110,
      setup = {
        accounts = {
          home = { email = 'home@example.org', imap = dovecot:imap('home') },
          office = { email = 'office@example.org', imap = dovecot:imap('office') },
        },
      },
    })
    nvim.open()
    nvim.sync()
    nvim.type('ggjjjjj')
    nvim.wait_for('return vim.fn.line(".") == 6')
    assert.is_not_nil(here())
  end)
  after_each(child.stop_all)

  it('has the cursor on its message, however it was left', function()
    local id = here()
    for _, way in ipairs({
      { 'q', ':Himalaya<CR>' },
      { ':enew<CR>', ':Himalaya home/INBOX<CR>' },
      { ':Himalaya office<CR>', ':Himalaya home<CR>' },
      { ':enew<CR>', ':buffer himalaya://home/INBOX<CR>' },
      { ':tabnew<CR>', ':Himalaya home/INBOX<CR>' },
    }) do
      nvim.type(way[1])
      -- Not by the id: another account may have the same number.
      nvim.wait_for('return vim.api.nvim_buf_get_name(0) ~= "himalaya://home/INBOX"')
      -- While it is hidden its lines change: it is narrower or has other mail above.
      nvim.lua('vim.o.columns = vim.o.columns == 110 and 96 or 110')
      screens.deliver(dovecot, { subject = 'while it was away' })
      nvim.await(function(done)
        require('himalaya.sync.manager').start_sync('inbox', { account = 'home' }, function()
          done(true)
        end)
      end)
      nvim.type(way[2])
      nvim.wait_for_filetype('list')
      wait_until_on(id, way[2])
    end
  end)

  it('has it on the message that was read last', function()
    local id = here()
    for _, back in ipairs({ '<Esc>', 'q' }) do
      nvim.type('<CR>')
      nvim.wait_for_filetype('message')
      local before = nvim.lua('return vim.api.nvim_buf_get_name(0)')
      nvim.type(']]')
      nvim.wait_for(function()
        return nvim.lua('return vim.api.nvim_buf_get_name(0)') ~= before
      end)
      nvim.type(back)
      nvim.wait_for_filetype('list')
      nvim.wait_for(function()
        return here() ~= nil and here() ~= id
      end, 5000, 'the cursor to be on the next message')
      id = here()
    end
    assert.equal(8, nvim.lua('return vim.fn.line(".")'))
  end)

  it('has it, and its filter and what is selected, after :edit has read it anew', function()
    nvim.type('/is:unread<CR>')
    -- What was read is gone when the filtered rows are there.
    local function is_filtered()
      return nvim.lua(function()
        local list = require('himalaya.ui.list').of(vim.api.nvim_get_current_buf())
        local function is_read(item)
          return item.flags.seen
        end
        return list ~= _G.before
          and not (list.loading or list.laying)
          and #list.items > 5
          and #vim.tbl_filter(is_read, list.items) == 0
      end)
    end
    nvim.wait_for(is_filtered)
    nvim.type('gg5jnj')
    nvim.wait_for_text('[x]')
    local id = here()
    nvim.lua('_G.before = require("himalaya.ui.list").of(vim.api.nvim_get_current_buf())')
    nvim.type(':edit<CR>')
    nvim.wait_for(is_filtered)
    wait_until_on(id, ':edit')
    nvim.wait_for_text('[x]')
    assert.is_true(nvim.shows('/is:unread'), nvim.text())
  end)

  it('is on the first message where its own is gone', function()
    nvim.type('q')
    nvim.wait_for(function()
      return nvim.filetype() == ''
    end)
    nvim.await(function(done)
      require('himalaya.mail').list('home', 'INBOX', { page_size = 500 }, function(_, result)
        local ids = vim.tbl_map(function(item)
          return item.id
        end, result.items)
        require('himalaya.mail').move('home', 'INBOX', vim.list_slice(ids, 1, 20), 'Archive', function(err)
          done(err == nil)
        end)
      end)
    end)
    nvim.type(':Himalaya<CR>')
    nvim.wait_for_filetype('list')
    nvim.wait_for(function()
      return here() ~= nil
    end, 5000, 'the cursor to be on a message')
  end)
end)
