-- Dates, columns, rows, lines, bars and addresses: the same values always give the same text.
local address = require('himalaya.ui.address')
local columns = require('himalaya.ui.columns')
local dates = require('himalaya.ui.dates')
local format = require('himalaya.ui.format')
local sparkline = require('himalaya.ui.sparkline')
local text = require('himalaya.ui.text')
local Child = require('tests.child')

local function at(year, month, day, hour, min)
  return os.time({ year = year, month = month, day = day, hour = hour or 12, min = min or 0 })
end
local NOW = at(2024, 3, 14, 12, 30) -- a Thursday

describe('a date', function()
  it('is told by the clock when near and by the day when far', function()
    local cases = {
      { at(2024, 3, 14, 9, 5), '09:05', '09:05' },
      { at(2024, 3, 13, 23, 59), 'Wed', 'Wed 23:59' },
      { at(2024, 3, 8, 0, 1), 'Fri', 'Fri 00:01' },
      { at(2024, 3, 7, 8, 0), '7 Mar', '7 Mar 08:00' },
      { at(2024, 1, 1, 0, 0), '1 Jan', '1 Jan 00:00' },
      { at(2023, 12, 30, 10, 0), '30 Dec', '30 Dec 2023' },
      { at(2023, 3, 12, 10, 0), '2023', '12 Mar 2023' },
      { at(2024, 3, 15, 0, 10), '15 Mar', '15 Mar 00:10' },
      { at(2031, 1, 1, 0, 10), '2031', '1 Jan 2031' },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[2], dates.short(case[1], NOW))
      assert.equal(case[3], dates.medium(case[1], NOW))
    end
    assert.equal('2024-03-12 14:02', dates.long(at(2024, 3, 12, 14, 2)))
  end)

  it('that no calendar has is nothing', function()
    for _, epoch in ipairs({ -1, 0 / 0, math.huge, -math.huge, 1e300, 'now', {} }) do
      for _, how in ipairs({ 'short', 'medium', 'long', 'ago' }) do
        assert.equal('', dates[how](epoch, NOW))
      end
    end
    assert.equal('', dates.short(nil, NOW))
  end)

  it('keeps its width in every locale and over changes of the clock', function()
    for day = 0, 800 do
      local epoch = NOW - day * 86400 + 7200
      assert.is_true(#dates.short(epoch, NOW) <= 6, dates.short(epoch, NOW))
      assert.is_true(#dates.medium(epoch, NOW) <= 12, dates.medium(epoch, NOW))
      assert.equal(16, #dates.long(epoch))
    end
  end)

  it('is counted back', function()
    assert.equal('just now', dates.ago(NOW - 59, NOW))
    assert.equal('12m ago', dates.ago(NOW - 12 * 60, NOW))
    assert.equal('3h ago', dates.ago(NOW - 3 * 3600, NOW))
    assert.equal('5d ago', dates.ago(NOW - 5 * 86400, NOW))
    assert.equal('just now', dates.ago(NOW + 100, NOW))
    assert.equal('9s', dates.duration(9.7))
    assert.equal('1m 5s', dates.duration(65))
    assert.equal('2h 3m', dates.duration(2 * 3600 + 3 * 60 + 9))
    assert.equal('4d 1h', dates.duration(4 * 86400 + 3600))
    assert.equal('0s', dates.duration(-3))
  end)
end)

describe('columns', function()
  it('fill any window exactly and keep sender and subject', function()
    local before = 0
    for cells = 10, 250 do
      local plan = columns.of(cells)
      local sum, names = #plan.columns - 1, {}
      for _, column in ipairs(plan.columns) do
        sum = sum + column.width
        names[column.name] = column.width
        assert.is_true(column.width > 0)
      end
      assert.equal(cells, sum)
      assert.is_true(names.from >= 3)
      assert.is_true(names.subject >= 3)
      assert.is_true(#plan.columns >= before)
      before = #plan.columns
    end
    assert.equal(columns.of(10), columns.of(3))
  end)

  it('grow in number with the window', function()
    local function names(cells)
      return table.concat(
        vim.tbl_map(function(column)
          return column.name
        end, columns.of(cells).columns),
        ' '
      )
    end
    assert.equal('flags from subject', names(20))
    assert.equal('select flags from subject attachment date', names(40))
    assert.equal('select flags from subject attachment size date', names(100))
  end)
end)

local function message(more)
  return vim.tbl_extend('force', {
    id = 1,
    subject = 'The plan for Thursday',
    from = { name = 'Someone Example', addr = 'someone@example.org' },
    date = at(2024, 3, 12, 14, 2),
    size = 35000,
    flags = { seen = true },
    has_attachment = false,
  }, more or {})
end

describe('a row', function()
  local function row(item, cells, how)
    return format.row(item, columns.of(cells), vim.tbl_extend('force', { now = NOW }, how or {}))
  end

  it('shows what there is room for', function()
    assert.equal('   Someo… The plan…', row(message(), 20).text)
    assert.equal('[ ]    Someone… The plan for T…      Tue', row(message(), 40).text)
    assert.equal(
      '[x] *• Someone Example    The plan for Thursday                             @   34K    Tue 14:02',
      row(message({ flags = { flagged = true }, has_attachment = true }), 96, { selected = true }).text
    )
  end)

  it('is coloured as selected where there is no room for its box', function()
    for _, cells in ipairs({ 20, 34 }) do
      local selected = row(message(), cells, { selected = true })
      assert.same({ 0, #selected.text, 'HimalayaSelected' }, selected.spans[1])
      assert.not_equal('HimalayaSelected', row(message(), cells).spans[1][3])
    end
    assert.same({ 0, 3, 'HimalayaSelected' }, row(message(), 40, { selected = true }).spans[1])
  end)

  it('marks what happened to the message', function()
    local function flags(more)
      return row(message(more), 20).text:sub(1, 4)
    end
    assert.equal(' •', vim.fn.strcharpart(flags({ flags = {} }), 0, 2))
    assert.equal(' < S', flags({ flags = { seen = true, answered = true } }))
    assert.equal('*> S', flags({ flags = { seen = true, forwarded = true, flagged = true } }))
    assert.equal(' D S', flags({ flags = { seen = true, draft = true } }))
    assert.equal(' ~ S', flags({ pending = true }))
    assert.is_truthy(row(message({ thread_depth = 2 }), 80).text:find('  └ The plan', 1, true))
    assert.is_truthy(row(message({ thread_depth = 5000 }), 80).text:find('└', 1, true))
  end)

  it('is whole without subject, sender, date, size and flags', function()
    assert.equal('[ ]  • (no sen… (no subject)', row({ id = 1 }, 40).text)
    assert.is_truthy(
      row(message({ from = { addr = 'x@example.org' } }), 80).text:find('x@example.org', 1, true)
    )
    assert.is_truthy(
      row(message({ from = { name = '\27[31m', addr = '' } }), 80).text:find('(no sender)', 1, true)
    )
  end)

  it('takes its cells and no more, its colours lie inside, at every width', function()
    local hostile = message({
      subject = '\27[2J👨‍👩‍👧‍👦 \226\128\174日本語\r\nBcc: ' .. ('x'):rep(5000),
      from = { name = 'z' .. ('\204\128'):rep(500), addr = 'x' },
      date = 1e15,
      size = -1,
      thread_depth = 3,
    })
    for cells = 10, 220 do
      for _, item in ipairs({ hostile, message(), { id = 2 } }) do
        local made = row(item, cells)
        assert.is_true(text.width(made.text) <= cells)
        assert.is_nil(made.text:find('%c'))
        for _, span in ipairs(made.spans) do
          assert.is_true(span[1] >= 0 and span[1] <= span[2] and span[2] <= #made.text)
        end
      end
    end
  end)

  it('is made fast enough for a page in a turn', function()
    local plan, best = columns.of(120), math.huge
    for _ = 1, 10 do
      local began = vim.uv.hrtime()
      for i = 1, 50 do
        format.row(message({ subject = 'Straße nach 日本 ' .. i }), plan, { now = NOW })
      end
      best = math.min(best, (vim.uv.hrtime() - began) / 1e6 / 50)
    end
    -- 50 rows in a millisecond would be 0.02 each.
    assert.is_true(best < Child.limit(0.1), best)
  end)
end)

describe('the lines above a list', function()
  it('keep the earlier shape', function()
    assert.equal('Himalaya - someone@example.org - INBOX', format.title('someone@example.org', 'INBOX'))
    assert.equal(
      'Page 1 / 4 | 98 emails (12m ago)',
      format.page({ page = 1, pages = 4, total = 98, last_sync = NOW - 720, now = NOW })
    )
    assert.equal('Page 2 | 1 email, 1 unread', format.page({ page = 2, total = 1, unread = 1 }))
    assert.equal('', format.page({}))
    assert.equal('synced just now', format.page({ last_sync = NOW, now = NOW }))
  end)

  it('say how much a filter found', function()
    assert.equal(
      'Page 1 / 1 | 1 email found (12m ago)',
      format.page({ page = 1, pages = 1, found = 1, last_sync = NOW - 720, now = NOW })
    )
    assert.equal('Page 1 / 1 | 0 emails found', format.page({ page = 1, pages = 1, found = 0 }))
    assert.equal('Page 2 | more than 100 emails found', format.page({ page = 2, found = 100, more = true }))
  end)

  it('say what sync does', function()
    local function sync(status)
      return (format.sync(status, NOW))
    end
    assert.is_nil(sync({ state = 'idle' }))
    assert.equal(
      '⟳ Sync (1m 5s): INBOX 2/5 - Downloaded 45/120',
      sync({
        state = 'syncing',
        started_at = NOW - 65,
        folder = 'INBOX 2/5',
        operation = 'Downloaded',
        messages_done = 45,
        messages_total = 120,
      })
    )
    assert.equal('⟳ Sync', sync({ state = 'syncing' }))
    assert.equal('⟳ Stopping sync (9s)', sync({ state = 'cancelling', started_at = NOW - 9 }))
    assert.equal('⟳ Sync waits for another one', sync({ state = 'queued' }))
    assert.equal(
      '= Syncing (external): 45/98 emails',
      sync({ state = 'external', messages_done = 45, messages_total = 98 })
    )
    assert.equal('= Syncing (external): Opening', sync({ state = 'external', operation = 'Opening' }))
    assert.equal('= Syncing (external)', sync({ state = 'external' }))
    assert.equal(
      '! No route to imap.example.org. - again in 1m 0s',
      sync({
        state = 'backoff',
        last_error = { message = 'No route to imap.example.org.' },
        next_sync = NOW + 60,
      })
    )
  end)

  it('have sizes in five cells', function()
    local cases = {
      [0] = '0',
      [870] = '870',
      [1024] = '1.0K',
      [35000] = '34K',
      [1023 * 1024] = '1.0M',
      [5e9] = '4.7G',
      [1e18] = '909495T',
    }
    for bytes, shown in pairs(cases) do
      assert.equal(shown, format.size(bytes))
    end
    assert.equal('', format.size(nil))
    assert.equal('', format.size(0 / 0))
  end)
end)

describe('a sparkline', function()
  it('shows shape, peaks and gaps', function()
    assert.equal('▁▄█', sparkline.of({ 0, 5, 10 }))
    assert.equal('▁▁', sparkline.of({ 0, 0 }))
    assert.equal('', sparkline.of({}))
    assert.equal('', sparkline.of({ 1 }, 0))
    assert.equal('█ █', sparkline.of({ 3, false, 3 }))
    assert.equal('█▁ ', sparkline.of({ 1, -5, 0 / 0 }))
    local many = {}
    for i = 1, 1000 do
      many[i] = i == 500 and 100 or 1
    end
    local line = sparkline.of(many, 10)
    assert.equal(10, vim.fn.strchars(line))
    assert.equal('▁▁▁▁█▁▁▁▁▁', line)
  end)

  it('has a bar beside it', function()
    assert.same({ '████', '░░░░' }, { sparkline.bar(0.5, 8) })
    assert.same({ '', '░░' }, { sparkline.bar(0 / 0, 2) })
    assert.same({ '██', '' }, { sparkline.bar(7, 2) })
  end)
end)

describe('an address', function()
  it('is the documented one', function()
    assert.equal('himalaya://home/INBOX', address.encode('home', 'INBOX'))
    assert.equal('himalaya://home/Lists%2Fneovim%20dev', address.encode('home', 'Lists/neovim dev'))
    assert.equal(
      'himalaya://me@example.org/INBOX?m=1700000000.42',
      address.encode('me@example.org', 'INBOX', '1700000000.42')
    )
    assert.same(
      { account = 'home', folder = 'INBOX', key = '1.2' },
      address.decode('himalaya://home/INBOX?m=1.2')
    )
    assert.same({ account = 'home' }, address.decode('himalaya://home'))
    assert.same({ account = 'home' }, address.decode('himalaya://home/'))
  end)

  it('comes back for every folder name there can be', function()
    local all = {}
    for byte = 1, 255 do
      all[byte] = string.char(byte)
    end
    local names =
      { 'INBOX', 'a/b', '日本語', '%2F', '?m=1', '..', '~', 'a#b', ('日'):rep(85), table.concat(all) }
    for byte = 1, 127 do
      names[#names + 1] = 'x' .. string.char(byte) .. 'y'
    end
    for _, name in ipairs(names) do
      local uri = address.encode('home', name, name)
      assert.is_nil(uri:sub(12):find('[^%w._~%%/?=-]'), uri)
      assert.same({ account = 'home', folder = name, key = name }, address.decode(uri))
    end
  end)

  it('that is none says why', function()
    for _, name in ipairs({
      '',
      'file:///etc/passwd',
      'himalaya://',
      'himalaya:///INBOX',
      'himalaya://.hidden/INBOX',
      'himalaya://../INBOX',
      'himalaya://a b/INBOX',
      'himalaya://home/a/b',
      'himalaya://home/%zz',
      'himalaya://home/%',
      'himalaya://home/%2',
      'himalaya://home/a%00b',
      'himalaya://home/INBOX?x=1',
      'himalaya://home/INBOX?m=',
      'himalaya://home?m=1',
      'himalaya://home/INBOX?m=%q',
    }) do
      local found, problem = address.decode(name)
      assert.is_nil(found, name)
      assert.matches('%.$', problem)
    end
  end)

  it('is kept by :edit, marks and sessions', function()
    local child = Child.start()
    local name = address.encode('home', 'Lists/a b#c%d', '1.2')
    child.lua(function(uri)
      vim.api.nvim_create_autocmd('BufReadCmd', {
        pattern = 'himalaya://*',
        callback = function(event)
          _G.read = event.match
          -- A session leaves out what is `nofile` or `acwrite`.
          vim.bo[event.buf].buftype = 'nowrite'
        end,
      })
      vim.cmd.edit(vim.fn.fnameescape(uri))
    end, name)
    assert.equal(name, child.lua('return _G.read'))
    assert.equal(name, child.lua('return vim.api.nvim_buf_get_name(0)'))
    local session = child.dir .. '/session.vim'
    child.lua('vim.cmd.mksession(...)', session)
    child.lua('vim.cmd("enew") vim.cmd("bwipeout #") _G.read = nil vim.cmd.source(...)', session)
    assert.equal(name, child.lua('return _G.read'))
    child.stop()
  end)
end)

describe('highlights', function()
  it('are linked to groups that exist, and yield to the user', function()
    local child = Child.start()
    local problems = child.lua(function()
      vim.cmd.highlight('HimalayaDate guifg=#123456')
      require('himalaya.ui.highlights').ready()
      local problems = {}
      for _ = 1, 2 do
        for _, row in ipairs(require('himalaya.ui.highlights').table) do
          local found = vim.api.nvim_get_hl(0, { name = row.name })
          if row.name == 'HimalayaDate' then
            if found.fg ~= 0x123456 and not problems.changed then
              problems[#problems + 1] = row.name
            end
          elseif found.link ~= row.link then
            problems[#problems + 1] = row.name .. ' ' .. vim.inspect(found)
          elseif vim.fn.hlexists(row.link) == 0 then
            problems[#problems + 1] = row.link
          end
        end
        vim.o.background = 'light'
        vim.cmd.colorscheme('default')
        vim.cmd.highlight('HimalayaDate guifg=#123456')
      end
      return problems
    end)
    assert.same({}, problems)
    child.stop()
  end)
end)
