-- needs dovecot
-- The preview that follows the cursor, and threads folded into rows.
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

local function preview()
  local found = nvim.window('message')
  return found ~= vim.NIL and found or nil
end

local function subject_in_preview()
  for _, line in ipairs((preview() or { lines = {} }).lines) do
    local subject = line:match('^Subject: (.*)')
    if subject then
      return subject
    end
  end
end

local function wait_for_match()
  nvim.wait_for(function()
    local shown = subject_in_preview()
    return shown ~= nil and shown == nvim.item_here().subject
  end, 10000, 'the preview to show what the cursor is on')
end

describe('the preview', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 60 })
    for i = 1, 9 do
      screens.deliver(dovecot, { subject = ('numbered %d'):format(i), body = ('text %d'):format(i) })
    end
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  it('follows the cursor, marks nothing as read, and goes by its key', function()
    start()
    nvim.type('P')
    wait_for_match()
    assert.equal('himalaya-list', nvim.filetype())
    nvim.type('j')
    wait_for_match()
    nvim.type('jjjjj')
    wait_for_match()
    -- Nothing is left of the folds of the messages before.
    local folded = nvim.lua(function(window)
      return vim.api.nvim_win_call(window, function()
        local lines = {}
        for line = 1, vim.fn.line('$') do
          if vim.fn.foldlevel(line) > 0 and vim.fn.getline(line):find('^[%a]+: ') == nil then
            lines[#lines + 1] = vim.fn.getline(line)
          elseif vim.fn.foldlevel(line) > 0 and vim.fn.getline(line):find('^Subject: ') then
            lines[#lines + 1] = 'the subject'
          end
        end
        return table.concat(lines, '|')
      end)
    end, preview().window)
    assert.is_nil(folded:find('the subject', 1, true))
    nvim.type('gg')
    nvim.wait_for(function()
      return preview().lines[1] == '' and #preview().lines == 1
    end)
    nvim.type('6j')
    wait_for_match()
    assert.is_false(nvim.item_here().seen)
    nvim.type('P')
    nvim.wait_for(function()
      return not preview()
    end)
    nvim.type('j')
    assert.is_nil(preview())
    assert.equal('', nvim.lua('return vim.v.errmsg'))
  end)

  it('is gone to, left and made whole by Enter and Escape', function()
    start()
    nvim.type('P4G')
    wait_for_match()
    local shown = nvim.item_here()
    nvim.type('<CR>')
    nvim.wait_for_filetype('message')
    assert.is_false(nvim.item_here().seen)
    nvim.type(']]')
    wait_for_match()
    assert.are_not.equal(shown.id, nvim.item_here().id)
    nvim.type('[[')
    wait_for_match()
    nvim.type('<Esc>')
    nvim.wait_for_filetype('list')
    nvim.type('<CR>')
    nvim.wait_for_filetype('message')
    -- The last header line is no attachment, link or fold.
    nvim.type('1G<CR>')
    nvim.wait_for('return vim.api.nvim_buf_get_name(0):find("m=") ~= nil')
    assert.equal(2, nvim.windows())
    nvim.type('q')
    nvim.wait_for_filetype('list')
    nvim.wait_for(function()
      return nvim.item_here().seen and nvim.item_here().id == shown.id
    end)
    wait_for_match()
    nvim.type('q')
    nvim.wait_for(function()
      return not preview() and nvim.windows() == 1
    end)
  end)

  it('cancels what it asked for when the cursor moves on', function()
    start()
    nvim.lua(function()
      _G.asked, _G.cancelled = 0, 0
      local mail = require('himalaya.mail')
      local read = mail.read
      mail.read = function(account, folder, id, opts, cb)
        _G.asked = _G.asked + 1
        local handle = read(account, folder, id, opts, cb)
        return {
          cancel = function()
            _G.cancelled = _G.cancelled + 1
            return handle:cancel()
          end,
        }
      end
    end)
    nvim.type('P4G')
    wait_for_match()
    local before = nvim.lua('return _G.asked')
    -- Keys that repeat are one stretch: its first step and its end are looked at, not what lies between. The clock
    -- stands still for it, as a machine that has other things to do would make of one stretch many.
    nvim.lua(function()
      local now = vim.uv.hrtime() + 1e9
      _G.hrtime = vim.uv.hrtime
      vim.uv.hrtime = function()
        return now
      end
    end)
    nvim.type(('j'):rep(30))
    nvim.wait_for(function()
      return nvim.lua('return vim.fn.line(".")') == 34
    end)
    nvim.lua('vim.uv.hrtime = _G.hrtime')
    wait_for_match()
    -- A page is read a second time for the program that renders it.
    assert.is_true(nvim.lua('return _G.asked') - before <= 4, nvim.lua('return _G.asked') - before)
    assert.is_true(nvim.lua('return _G.cancelled') >= 1)
  end)

  it('loses no key of who types faster than messages are read', function()
    start()
    nvim.type('P4G')
    wait_for_match()
    nvim.type('<CR>')
    nvim.wait_for_filetype('message')
    nvim.type((']]'):rep(8) .. '[[[[')
    nvim.wait_for(function()
      return nvim.lua('return vim.fn.line(".", vim.fn.bufwinid("himalaya://home/INBOX"))') == 10
    end)
    wait_for_match()
    local meant = nvim.item_here()
    nvim.type('<Esc>kj<CR><CR>')
    nvim.wait_for('return vim.api.nvim_buf_get_name(0):find("m=") ~= nil')
    nvim.wait_for(function()
      return nvim.lua('return vim.fn.getline(vim.fn.search("^Subject: ", "nw")):sub(10)') == meant.subject
    end, 5000, meant.subject .. ' alone in its window')
    nvim.type('q')
    nvim.wait_for_filetype('list')
    wait_for_match()
    local after = nvim.lua(function()
      local list = require('himalaya.ui.list').of(vim.api.nvim_get_current_buf())
      return list:neighbour(list:item_here().id, 2).id
    end)
    nvim.type('kj<CR>dd')
    nvim.wait_for_text('67 emails')
    assert.is_nil(table.concat(nvim.list(), '\n'):find(meant.subject, 1, true))
    assert.equal(after, nvim.item_here().id)
    wait_for_match()
  end)

  it('stands where the options say, and goes on with the next message after a deletion', function()
    start({ columns = 200, setup = { ui = { preview = { open = true, size = 0.3 } } } })
    nvim.wait_for(preview)
    local list = nvim.window('list')
    assert.equal(list.position[1], preview().position[1])
    assert.is_true(preview().position[2] > list.position[2])
    assert.is_true(preview().width < list.width)
    nvim.type('4G')
    wait_for_match()
    local first = nvim.item_here()
    nvim.type('d')
    nvim.wait_for(function()
      local id = nvim.item_here().id
      return id and id ~= first.id
    end)
    wait_for_match()
    nvim.type('U')
    nvim.wait_for_message('Took back')
    child.stop_all()

    start({ columns = 100, setup = { ui = { preview = { open = true, split = 'below', size = 0.7 } } } })
    nvim.wait_for(preview)
    list = nvim.window('list')
    assert.equal(list.position[2], preview().position[2])
    assert.is_true(preview().height > list.height)
    -- Closed by hand it stays closed.
    nvim.lua('vim.api.nvim_win_close(..., true)', preview().window)
    nvim.type('jj')
    assert.is_nil(preview())
    child.stop_all()

    start({ columns = 200, setup = { ui = { preview = { open = true, split = 'right' } } } })
    nvim.wait_for(preview)
    assert.equal(nvim.window('list').position[1], preview().position[1])
  end)
end)

describe('threads', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 0 })
    screens.deliver(dovecot, { subject = 'Lunch', id = '<lunch@example.org>', body = 'who comes?' })
    screens.deliver(dovecot, { subject = 'Minutes', id = '<minutes@example.org>' })
    for i, name in ipairs({ 'Ann', 'Bob', 'Carol' }) do
      screens.deliver(dovecot, {
        subject = 'Re: Lunch',
        from = name .. ' <' .. name:lower() .. '@example.org>',
        id = ('<answer%d@example.org>'):format(i),
        headers = 'In-Reply-To: <lunch@example.org>\nContent-Type: text/plain',
      })
    end
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  local function rows()
    local found = {}
    for _, line in ipairs(nvim.list()) do
      if line:find('^%[') then
        found[#found + 1] = line
      end
    end
    return found
  end

  local function wait_for_rows(count)
    nvim.wait_for(function()
      return #rows() == count
    end, 10000, count .. ' rows')
  end

  it('are folded by Tab into a row that stands for all of them', function()
    start()
    wait_for_rows(5)
    nvim.type('T')
    nvim.wait_for(function()
      return #rows() == 5 and rows()[2]:find('└', 1, true)
    end)
    assert.matches('Lunch', rows()[1])
    nvim.search('Carol')
    nvim.type('<Tab>')
    wait_for_rows(2)
    nvim.wait_for(function()
      return rows()[1]:find('(4)', 1, true)
    end)
    -- The cursor is on what its message went into.
    assert.equal(4, nvim.lua('return vim.fn.line(".")'))
    nvim.type('u')
    nvim.wait_for(function()
      return not rows()[1]:find('•', 1, true)
    end)
    nvim.type('*')
    nvim.wait_for(function()
      return rows()[1]:find('^%[ %] %*')
    end)
    nvim.type('<Tab>')
    wait_for_rows(5)
    for i = 1, 4 do
      assert.matches('^%[ %] %*', rows()[i])
    end
    assert.is_nil(rows()[5]:find('*', 1, true))
    nvim.type('*<Tab>d')
    nvim.wait_for_message('Deleted 4 messages')
    wait_for_rows(1)
    nvim.type('U')
    wait_for_rows(2)
  end)

  it('are selected whole, also where each message stands by itself', function()
    start()
    wait_for_rows(5)
    nvim.search('Bob')
    nvim.type('t')
    nvim.wait_for(function()
      local selected = vim.tbl_filter(function(row)
        return vim.startswith(row, '[x]')
      end, rows())
      return #selected == 4
    end)
    nvim.type('t')
    nvim.wait_for(function()
      return not table.concat(rows()):find('[x]', 1, true)
    end)
    -- Tab leads to threads, and the cursor stays.
    nvim.search('Minutes')
    nvim.type('<Tab>')
    nvim.wait_for(function()
      return table.concat(rows()):find('└', 1, true)
    end)
  end)

  it('begin as the option says', function()
    start({ setup = { ui = { threads = 'folded' } } })
    wait_for_rows(2)
    nvim.type('4G<Tab>')
    wait_for_rows(5)
    child.stop_all()
    start({ setup = { ui = { threads = 'open' } } })
    nvim.wait_for(function()
      return #rows() == 5 and rows()[2]:find('└', 1, true)
    end)
  end)
end)
