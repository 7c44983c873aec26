-- needs dovecot
-- Lists without pages, the windows around a list, and messages in splits and tab pages.
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

describe('the windows', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 700 })
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  it('scroll without pages through a whole folder, holding only what is near', function()
    start({ setup = { ui = { paging = 'endless', page_size = 40 } } })
    local function held()
      return #nvim.list() - 4
    end
    assert.is_nil(nvim.list()[2]:find('Page', 1, true))
    assert.matches('^700 emails', nvim.list()[2])
    local function last_shown()
      return nvim.lua(function()
        local list = require('himalaya.ui.list').of(vim.fn.bufnr('himalaya://home/INBOX'))
        return { list.items[1].id, list.items[#list.items].id, list.more, #list.items }
      end)
    end
    local newest = last_shown()[1]
    local most = 0
    nvim.wait_for(function()
      nvim.type('G<C-d>')
      most = math.max(most, held())
      return last_shown()[3] == false
    end, 30000, 'the end of the folder')
    assert.is_true(most <= 8 * 40, most)
    assert.are_not.equal(newest, last_shown()[1])
    nvim.wait_for(function()
      nvim.type('gg')
      return last_shown()[1] == newest
    end, 30000, 'its beginning again')
    -- A message that comes is shown, and nothing is there twice.
    nvim.type('20G')
    local under
    nvim.wait_for(function()
      under = nvim.item_here()
      return under.id
    end)
    screens.deliver(dovecot, { subject = 'came late' })
    -- A server may keep what just came from a connection that is in the folder until it looks once more.
    nvim.wait_for(function()
      nvim.sync()
      return table.concat(nvim.list(), '\n'):find('came late', 1, true)
    end, 20000)
    assert.equal(under.id, nvim.item_here().id)
    local twice = nvim.lua(function()
      local seen, list = {}, require('himalaya.ui.list').of(vim.fn.bufnr('himalaya://home/INBOX'))
      for _, item in ipairs(list.items) do
        if seen[item.id] then
          return item.id
        end
        seen[item.id] = true
      end
    end)
    assert.equal(vim.NIL, twice)
  end)

  it('have a sidebar where it is wanted, as wide as the user makes it', function()
    start({ columns = 120, setup = { ui = { page_size = 20, sidebar = { side = 'right', width = 22 } } } })
    nvim.wait_for_text('Page 1 / 3')
    assert.equal(22, nvim.window('sidebar').width)
    assert.is_true(nvim.window('sidebar').position[2] > nvim.window('list').position[2])
    nvim.lua('vim.api.nvim_win_set_width(..., 40)', nvim.window('sidebar').window)
    local widest = function()
      local most = 0
      for _, line in ipairs(nvim.window('list').lines) do
        most = math.max(most, vim.api.nvim_strwidth(line))
      end
      return most
    end
    nvim.wait_for(function()
      return widest() <= nvim.window('list').width
    end)
    nvim.type('B')
    nvim.wait_for(function()
      return nvim.window('sidebar') == vim.NIL
    end)
    nvim.type('B')
    nvim.wait_for(function()
      return nvim.window('sidebar') ~= vim.NIL and nvim.window('sidebar').width == 40
    end)
    child.stop_all()
    nvim = screens.start(dovecot, { setup = { ui = { sidebar = { open = false } } } })
    nvim.open()
    assert.equal(1, nvim.windows())
    nvim.type('B')
    nvim.wait_for(function()
      return nvim.window('sidebar') ~= vim.NIL
    end)
    assert.equal(25, nvim.window('sidebar').width)
    -- Its share of another screen, unless the user gave it a width.
    nvim.resize(60, 20)
    nvim.wait_for(function()
      return nvim.window('sidebar').width == 15
    end)
    nvim.type('B')
    nvim.resize(120, 30)
    nvim.type('B')
    nvim.wait_for(function()
      return nvim.window('sidebar') ~= vim.NIL and nvim.window('sidebar').width == 30
    end)
    nvim.lua('vim.api.nvim_win_set_width(..., 20)', nvim.window('sidebar').window)
    nvim.resize(100, 30)
    nvim.wait_for(function()
      return nvim.window('list').width == 100 - 1 - 20
    end)
  end)

  it('have a narrow screen for themselves, and the sidebar beside them when there is room again', function()
    start({ columns = 100 })
    nvim.type('<Esc>')
    nvim.wait_for_filetype('sidebar')
    nvim.resize(20, 6)
    nvim.wait_for(function()
      return nvim.window('sidebar') == vim.NIL and nvim.window('list').width == 20
    end)
    nvim.wait_for_filetype('list')
    nvim.type('B')
    nvim.wait_for_message('needs a screen of 50 columns')
    nvim.resize(100, 30)
    nvim.wait_for(function()
      return nvim.window('sidebar') ~= vim.NIL and nvim.window('sidebar').width == 25
    end)
    -- Nobody shows what a key has hidden.
    nvim.type('B')
    nvim.wait_for(function()
      return nvim.window('sidebar') == vim.NIL
    end)
    nvim.resize(20, 6)
    nvim.resize(100, 30)
    nvim.wait_for(function()
      return nvim.window('list').width == 100
    end)
    assert.equal(1, nvim.windows())
  end)

  it('open messages in splits and tab pages, and go to what was not read', function()
    start()
    nvim.type('4Go')
    nvim.wait_for_filetype('message')
    assert.equal(3, nvim.windows())
    nvim.type(':close<CR>')
    nvim.wait_for_filetype('list')
    nvim.type('jgO')
    nvim.wait_for_filetype('message')
    nvim.type(':close<CR>')
    nvim.wait_for_filetype('list')
    nvim.type('jO')
    nvim.wait_for_filetype('message')
    assert.equal(2, nvim.lua('return vim.fn.tabpagenr("$")'))
    nvim.type(':tabclose<CR>')
    nvim.wait_for_filetype('list')
    nvim.wait_for(function()
      return not table.concat(nvim.list(), '\n', 4, 6):find('•', 1, true)
    end)
    -- No room for another one is said in words.
    nvim.lua('vim.o.winminheight, vim.o.winheight = 20, 20')
    nvim.type('o')
    nvim.wait_for_message('no room for another window')
    assert.equal('himalaya-list', nvim.filetype())
    nvim.lua('vim.o.winminheight = 1')
    nvim.type('gg]]')
    nvim.wait_for(function()
      return nvim.item_here().seen == false
    end)
    local first = nvim.item_here().id
    nvim.type(']]')
    nvim.wait_for(function()
      local item = nvim.item_here()
      return item.id and item.id ~= first and not item.seen
    end)
    nvim.type('[[')
    nvim.wait_for(function()
      return nvim.item_here().id == first
    end)
  end)
end)
