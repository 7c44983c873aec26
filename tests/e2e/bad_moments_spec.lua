-- needs dovecot
-- What users do when nobody expects it: nothing breaks, and what cannot be done is said.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')

local dovecot ---@type table
local nvim ---@type table

--- What is refused in words is none.
local function no_errors()
  for line in nvim.messages():gmatch('[^\n]+') do
    assert.is_nil(line:find('stack traceback', 1, true) or line:find('E%d+:'), line)
  end
end

describe('what a user may do at any moment', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 120 })
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  it('a message is deleted while it is open', function()
    nvim = screens.start(dovecot)
    nvim.open()
    nvim.sync()
    nvim.type('5G<CR>')
    nvim.wait_for_text('Subject: ')
    nvim.wait_for('return vim.fn.bufname():find("m=") ~= nil')
    local name = nvim.lua('return vim.api.nvim_buf_get_name(0)')
    local uid = name:match('%.(%d+)$')
    dovecot:ask({
      ['do'] = 'doveadm',
      args = { 'expunge', '-u', 'home', 'mailbox', 'INBOX', 'uid', uid },
    })
    nvim.type('s')
    nvim.wait_for_text('no longer in this folder')
    -- It stays to be read; what cannot be done is said.
    assert.is_true(nvim.shows('Subject: '))
    nvim.cmd('messages clear')
    nvim.type('d')
    nvim.wait_for_message('Nothing was deleted')
    nvim.type('q')
    nvim.wait_for_filetype('list')
    nvim.cmd('bwipeout! ' .. vim.fn.escape(name, '?%#\\'))
    nvim.lua('vim.cmd.edit(vim.fn.fnameescape(...))', name)
    nvim.wait_for_text('not found')
    no_errors()
  end)

  it('buffers are wiped out in the middle of whatever they wait for', function()
    nvim = screens.start(dovecot)
    nvim.open()
    nvim.sync()
    for _ = 1, 5 do
      for _, keys in ipairs({ 'F', 'P', 'j', '<C-d>', '*', 'u', '/is:unread<CR>', '<CR>', 'T', 'S', 'd' }) do
        nvim.type(':Himalaya<CR>' .. keys .. ':bwipeout!<CR>')
      end
      nvim.type(':Himalaya<CR>P4GjP:bwipeout! himalaya-sidebar<CR>')
      nvim.type(':Himalaya<CR>')
      nvim.wait_for_filetype('list')
      nvim.type('U')
      no_errors()
    end
    nvim.cmd('silent! %bwipeout!')
    nvim.type(':Himalaya<CR>')
    nvim.wait_for_filetype('list')
    nvim.wait_for(function()
      return nvim.list()[4]:find('^%[ %]')
    end)
    no_errors()
  end)

  it(
    'the sidebar is left alone, the list has two windows, the screen becomes small and large again',
    function()
      nvim = screens.start(dovecot)
      nvim.open()
      nvim.sync()
      local width = nvim.window('sidebar').width
      for _ = 1, 2 do
        nvim.cmd('bdelete')
        nvim.wait_for(function()
          return nvim.windows() == 1 and nvim.filetype() == 'himalaya-sidebar'
        end)
        nvim.type(':Himalaya<CR>')
        nvim.wait_for_filetype('list')
        assert.equal(width, nvim.window('sidebar').width)
        assert.is_false(nvim.lua('return vim.wo.winfixwidth'))
        nvim.wait_for_text('[ ]')
      end
      nvim.type('q')
      nvim.wait_for('return vim.bo.filetype == ""')
      nvim.type(':Himalaya<CR>')
      nvim.wait_for_filetype('list')
      assert.equal(width, nvim.window('sidebar').width)

      -- Both windows show rows whole.
      nvim.cmd('vsplit')
      nvim.wait_for(function()
        return nvim.lua(function()
          local narrowest, widest = math.huge, 0
          for _, window in ipairs(vim.fn.win_findbuf(vim.api.nvim_get_current_buf())) do
            narrowest = math.min(narrowest, vim.api.nvim_win_get_width(window))
          end
          for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, 20, false)) do
            widest = math.max(widest, vim.api.nvim_strwidth(line))
          end
          return widest == narrowest
        end)
      end)
      nvim.cmd('close')

      -- The lines above are there as long as there is place for them.
      nvim.type('12G')
      nvim.wait_for("return vim.fn.line('.') == 12")
      nvim.resize(100, 20)
      nvim.wait_for("return vim.fn.winheight(0) < 20 and vim.fn.line('w0') == 1 and vim.fn.line('.') == 12")
      -- What a small window had no place for is back with the place.
      nvim.type('12G')
      nvim.resize(40, 8)
      nvim.wait_for("return vim.fn.line('w0') > 3")
      nvim.resize(100, 30)
      nvim.wait_for("return vim.fn.line('w0') == 1 and vim.fn.line('.') == 12")
      -- Of a cursor further down than that only as much is shown as fits.
      nvim.type('40G')
      nvim.resize(100, 12)
      nvim.wait_for("return vim.fn.line('w0') > 3")
      nvim.resize(100, 30)
      nvim.wait_for("return vim.fn.winheight(0) > 20 and vim.fn.line('.') == 40 and vim.fn.line('w0') > 3")
      no_errors()
    end
  )

  it('ten sidebars stand in ten tab pages', function()
    nvim = screens.start(dovecot, { setup = { ui = { preview = { open = true } } } })
    nvim.open()
    nvim.sync()
    for at = 2, 10 do
      nvim.type(':tabnew<CR>:Himalaya<CR>')
      nvim.wait_for(function()
        return nvim.lua('return vim.fn.tabpagenr("$")') == at and nvim.window('message') ~= vim.NIL
      end)
    end
    assert.equal(10, nvim.lua('return #vim.fn.win_findbuf(vim.fn.bufnr("himalaya-sidebar"))'))
    nvim.type('5G')
    nvim.wait_for(function()
      return #nvim.window('message').lines > 3
    end)
    -- All of them follow what is done in one, from when they have caught up with the sync.
    nvim.wait_for(function()
      local count = nvim.list()[2]:match('(%d+) unread')
      return count and nvim.window('sidebar').lines[2]:find('%f[%d]' .. count .. '$')
    end)
    local unread = nvim.window('sidebar').lines[2]
    local function wait_for_another_count()
      nvim.wait_for(function()
        return nvim.window('sidebar').lines[2] ~= unread
      end)
      unread = nvim.window('sidebar').lines[2]
    end
    local was_seen = nvim.lua(function()
      local list = require('himalaya.ui.list').of(vim.api.nvim_get_current_buf())
      return list:item(list.view.shown[5].key).flags.seen == true
    end)
    nvim.type('<CR><CR>')
    nvim.wait_for('return vim.fn.bufname():find("m=") ~= nil')
    nvim.type('q')
    nvim.wait_for_filetype('list')
    if not was_seen then
      wait_for_another_count()
    end
    nvim.type('u')
    wait_for_another_count()
    for _ = 1, 10 do
      nvim.type(':Himalaya<CR>q')
      nvim.type(':silent! tabclose<CR>')
    end
    nvim.wait_for('return vim.fn.tabpagenr("$") == 1')
    no_errors()
  end)

  it("'background' is switched, and a scheme that knows us wins", function()
    nvim = screens.start(dovecot)
    nvim.open()
    nvim.sync()
    local function all_linked()
      return nvim.lua(function()
        for _, row in ipairs(require('himalaya.ui.highlights').table) do
          local now = vim.api.nvim_get_hl(0, { name = row.name })
          if next(now) == nil then
            return row.name
          end
        end
        return ''
      end)
    end
    local before = vim.list_slice(nvim.list(), 4)
    for _, command in ipairs({
      'set background=light',
      'set background=dark',
      'colorscheme blue',
      'colorscheme default',
    }) do
      nvim.cmd(command)
      assert.equal('', all_linked())
    end
    assert.same(before, vim.list_slice(nvim.list(), 4))
    nvim.cmd('highlight HimalayaFrom guifg=#112233')
    nvim.cmd('HimalayaRefresh')
    assert.equal(0x112233, nvim.lua('return vim.api.nvim_get_hl(0, { name = "HimalayaFrom" }).fg'))
    no_errors()
  end)
end)
