-- needs dovecot
-- Mail, folders and users that do what nobody expects: it is shown as far as it can be, and nothing breaks.
local child = require('tests.child')
local screens = require('tests.screen')
local servers = require('tests.servers')

local dovecot ---@type table
local nvim ---@type table

local ESC = '\27'

--- What is refused in words is none.
local function no_errors()
  for line in nvim.messages():gmatch('[^\n]+') do
    assert.is_nil(line:find('stack traceback', 1, true) or line:find('E%d+:'), line)
  end
end

--- Every line fits its window, and no control character is among the cells.
local function looks_right()
  local widest = nvim.lua(function()
    local most = -math.huge
    for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
      local buffer = vim.api.nvim_win_get_buf(window)
      if not vim.wo[window].wrap then
        for _, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
          most = math.max(most, vim.api.nvim_strwidth(line) - vim.api.nvim_win_get_width(window))
        end
      end
    end
    return most
  end)
  assert.is_true(widest <= 0, widest)
  assert.is_nil(nvim.text():gsub('\n', ''):find('%c'))
end

local HOSTILE = {
  ESC .. ']0;owned\7' .. ESC .. '[31mred' .. ESC .. '[2J plain',
  'two\nlines',
  'right to left \226\128\174 desrever \226\128\172 marks',
  'zero\226\128\139width\226\128\141 joiners \239\187\191 everywhere',
  'family 👨‍👩‍👧‍👦 flag 🏴‍☠️ wave 👋🏿 done',
  'marks Z̷̛͎͓̟͛͝a̵̢͇͓͗͒l̸̨̙͂̇g̷̛͎͓̟͛͝o above',
  'पुस्तकालय खुलने का नया समय और कुछ और शब्द जो बहुत लंबे हैं',
  'ห้องสมุดเปิดทำการตั้งแต่เก้าโมงเช้าถึงห้าโมงเย็นทุกวัน',
  ('long '):rep(400),
  '=?utf-8?B?' .. 'gICA' .. '?= broken bytes',
  '\t tab \11 and \8 backspace \127',
}

local function encoded(text)
  return '=?utf-8?B?' .. vim.base64.encode(text) .. '?='
end

local function raw(headers, body)
  return table.concat(headers, '\n') .. '\n\n' .. (body or 'a text\n')
end

local FOLDERS = {
  ' !"#$&()+,-.:;<=>?@[]^_`{|}~',
  "'quoted' %41%s 100%",
  ('long'):rep(50),
  '図書館の本棚',
  'पुस्तकालय',
  'two  words ',
}

describe('what comes from outside', function()
  setup(function()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 0 })
    for _, subject in ipairs(HOSTILE) do
      screens.deliver(dovecot, {
        subject = subject:find('^=') and subject or encoded(subject),
        from = encoded(subject:sub(1, 60)) .. ' <x@example.org>',
      })
    end
    screens.deliver(dovecot, { raw = raw({ 'Message-ID: <nothing@example.org>' }) })
    screens.deliver(dovecot, { raw = raw({ 'From: ', 'Subject: ', 'Date: ' }) })
    screens.deliver(
      dovecot,
      { raw = raw({ 'Date: Mon, 99 Foo 99999 99:99:99', 'Subject: when?', 'From: @@@' }) }
    )
    for _, folder in ipairs(FOLDERS) do
      pcall(dovecot.ask, dovecot, {
        ['do'] = 'doveadm',
        args = { 'mailbox', 'create', '-u', 'home', folder },
      })
    end
  end)
  teardown(servers.stop)
  after_each(child.stop_all)

  for _, columns in ipairs({ 20, 60, 100, 200 }) do
    for _, background in ipairs({ 'light', 'dark' }) do
      it(('is harmless in %d columns, %s'):format(columns, background), function()
        nvim = screens.start(dovecot, { columns = columns, lines = 40 })
        nvim.cmd('set background=' .. background)
        nvim.open()
        nvim.sync()
        assert.equal(#HOSTILE + 3 + 4, #nvim.list())
        looks_right()
        local shown = table.concat(nvim.list(), '\n')
        assert.matches('red plain', nvim.lua([[return require('himalaya.ui.text').clean(...)]], HOSTILE[1]))
        if columns >= 100 then
          for _, words in ipairs({ '(no subject)', '(no sender)', 'two lines', 'plain', 'family', 'when?' }) do
            assert.is_truthy(shown:find(words, 1, true), words .. '\n' .. shown)
          end
        end
        -- Each can be read, previewed, and left again.
        nvim.type('P')
        for line = 4, #HOSTILE + 6 do
          nvim.type(line .. 'G')
          nvim.wait_for(function()
            local preview = nvim.window('message')
            return preview == vim.NIL or preview.lines[#preview.lines]:find('a text', 1, true)
          end, 10000, 'message ' .. line)
        end
        nvim.cmd('set background=' .. (background == 'light' and 'dark' or 'light'))
        looks_right()
        no_errors()
      end)
    end
  end

  it('may call its folders what it likes', function()
    nvim = screens.start(dovecot, { columns = 100, lines = 40 })
    nvim.open()
    nvim.sync()
    local paths = nvim.await(function(done)
      require('himalaya.mail').folders('home', function(_, folders)
        done(vim.tbl_map(function(folder)
          return folder.path
        end, folders))
      end)
    end)
    assert.is_true(#paths >= 10, vim.inspect(paths))
    for _, path in ipairs(paths) do
      nvim.lua(function(folder)
        require('himalaya.ui.screen').show('home', folder)
      end, path)
      nvim.wait_for(function()
        local here = nvim.lua('return { require("himalaya.ui.screen").here() }')
        return here[2] == path and nvim.window('list').lines[4] ~= 'Looking ...'
      end, 5000, path)
      local name = nvim.lua('return vim.api.nvim_buf_get_name(0)')
      nvim.cmd('bwipeout!')
      nvim.lua('vim.cmd.edit(vim.fn.fnameescape(...))', name)
      nvim.wait_for('return vim.bo.filetype == "himalaya-list"')
      assert.same({ 'home', path }, nvim.lua('return { require("himalaya.ui.screen").here() }'))
    end
    looks_right()
    -- Their names arrive as they are completed.
    for begun, path in pairs({ two = 'two  words ', ["'quoted'\\ "] = "'quoted' %41%s 100%" }) do
      nvim.type((':Himalaya home/%s<Tab><CR>'):format(begun))
      nvim.wait_for(function()
        return nvim.lua('return { require("himalaya.ui.screen").here() }')[2] == path
      end, 5000, path)
    end
    nvim.type(':Himalaya  home/INBOX  <CR>')
    nvim.wait_for(function()
      return nvim.lua('return { require("himalaya.ui.screen").here() }')[2] == 'INBOX'
    end)
    no_errors()
  end)
end)
