-- Rows of the screen's bench that are about mail coming in while somebody works, about Neovim's start, and what others
-- and all tests together need.
local mailbox = require('tests.bench.screen.mailbox')
local opening = require('tests.bench.screen.opening')
local servers = require('tests.servers')
local turns = require('tests.turns')
local ui_of = require('tests.ui')

local M = {}

--- Another Neovim on the same store stars a message; the shown list has one line set.
function M.event(tools, figures, report)
  local it = opening.start(tools)
  local other = tools.child({
    setup = {
      accounts = { home = mailbox.offline('home') },
      data_dir = it.data,
      async = { enabled = false },
    },
  })
  it.command('Himalaya', it.shows('INBOX'))
  local items = it.child.lua(function()
    local native = require('himalaya.native')
    local list = require('himalaya.ui.list').of(vim.api.nvim_get_current_buf())
    function _G.own_ms()
      local sum = 0
      for _, room in pairs(native.loop.metrics().by_room) do
        sum = sum + room.total_ms
      end
      return sum
    end
    vim.api.nvim_buf_attach(list.buffer, false, {
      on_lines = function(_, _, _, first, last, new_last)
        _G.set = _G.set + math.max(last, new_last) - first
        local at = vim.uv.hrtime()
        vim.schedule(function()
          _G.done = { lines = _G.set, cpu = _G.own_ms() - _G.before, at = at }
        end)
      end,
    })
    return vim.tbl_map(function(item)
      return { id = item.id, flagged = item.flags.flagged }
    end, list.items)
  end)
  local lines, cpu, waits = {}, {}, {}
  for i = 1, math.max(tools.runs, 5) + 1 do
    it.child.lua('_G.set, _G.done, _G.before = 0, nil, _G.own_ms()')
    local began = vim.uv.hrtime()
    local err = other.await(function(done, item)
      local change = { [item.flagged and 'remove' or 'add'] = { 'flagged' } }
      require('himalaya.mail').flag('home', 'INBOX', { item.id }, change, function(err)
        done(err and err.message or false)
      end)
    end, items[i * 3])
    assert(not err, err)
    local done = it.child.wait_for('return _G.done')
    -- The first one may set up what later ones only use.
    if i > 1 then
      lines[#lines + 1], cpu[#cpu + 1] = done.lines, done.cpu
      waits[#waits + 1] = (done.at - began) / 1e6
    end
  end
  other.stop()
  it.stop()
  local most, one = math.max(unpack(lines)), tools.median(cpu)
  report(figures.event, {
    measured = ('%d line%s, %s'):format(most, most == 1 and '' or 's', tools.ms(one)),
    value = one,
    met = most == 1 and one < 1,
    peer = ('from the call in the other Neovim to the line %s'):format(tools.ms(tools.median(waits))),
    detail = { lines = lines, cpu_ms = cpu, waits_ms = waits },
  })
end

local NAMES = { 'home', 'office', 'library', 'weather' }

local function start_ms(tools, init)
  local log = vim.fn.tempname()
  local argv = { vim.env.HIMALAYA_NVIM, '--headless', '--startuptime', log, '-i', 'NONE', '-n', '-u', init }
  tools.run(vim.list_extend(argv, { '-c', 'qa!' }))
  local total
  for _, line in ipairs(vim.fn.readfile(log)) do
    total = tonumber(line:match('^(%d+%.%d+)%s')) or total
  end
  os.remove(log)
  return total
end

function M.startup(tools, figures, report)
  local accounts = {}
  for _, name in ipairs(NAMES) do
    accounts[name] = mailbox.offline(name)
  end
  local with, without = vim.fn.tempname() .. '.lua', vim.fn.tempname() .. '.lua'
  vim.fn.writefile(
    vim.split(
      ('vim.opt.runtimepath:prepend(%q)\nrequire("himalaya").setup(%s)'):format(
        tools.root,
        vim.inspect({ accounts = accounts })
      ),
      '\n'
    ),
    with
  )
  vim.fn.writefile({ '' }, without)
  local ours, bare = {}, {}
  -- In turns, and many: one start differs from the next by more than what is looked for.
  for i = 1, math.max(tools.runs, 5) * 4 do
    bare[i] = start_ms(tools, without)
    ours[i] = start_ms(tools, with)
  end
  local added = tools.median(ours) - tools.median(bare)
  report(figures.startup, {
    measured = ('%+.2f ms'):format(added),
    value = added,
    met = added <= 2,
    peer = ('without %s, with %s'):format(tools.ms(tools.median(bare)), tools.ms(tools.median(ours))),
    detail = { with = ours, without = bare },
  })
end

function M.after(tools, figures, report)
  local each = math.min(1000, tools.messages)
  local server = servers.dovecot({ users = NAMES, messages = each, warm = true })
  local accounts = {}
  for _, name in ipairs(NAMES) do
    accounts[name] = { email = name .. '@example.org', imap = server:imap(name) }
  end
  local child = tools.child({
    await = 600000,
    setup = { accounts = accounts, async = { startup_delay = 0 } },
    init = [[
      vim.api.nvim_create_autocmd('VimEnter', { callback = function()
        local uv = vim.uv
        gaps = {}
        local last = uv.hrtime()
        local timer = uv.new_timer()
        timer:start(1, 1, function()
          local now = uv.hrtime()
          gaps[#gaps + 1] = (now - last) / 1e6
          last = now
        end)
        vim.api.nvim_create_autocmd('User', { pattern = 'HimalayaSynced', callback = function()
          timer:stop()
          synced = true
        end })
        require('himalaya.sync.manager').start_auto_sync()
      end })
    ]],
  })
  child.wait_for('return synced', 300000)
  local gaps = child.lua('return gaps')
  local longest = child.lua('return require("himalaya").metrics().loop.longest_turn_ms')
  child.stop()
  server:stop()
  local most = tools.percentile(gaps, 99.9)
  report(figures.after, {
    measured = ('%.1f ms'):format(most),
    value = most,
    met = most < 16,
    peer = ('the longest of %d gaps %.1f ms, longest turn of ours %.2f ms'):format(
      #gaps,
      math.max(unpack(gaps, 1, math.min(#gaps, 7000))),
      longest
    ),
  })
end

--- Letters typed into a buffer beside a list that fills.
function M.typing(tools, figures, report)
  local server = mailbox.server(tools.messages)
  local child = tools.child({
    setup = {
      accounts = { home = { email = 'home@example.org', imap = server:imap('home') } },
      async = { enabled = false },
    },
  })
  local ui = ui_of.attach(child, 160, 40)
  ui.type(':Himalaya<CR>')
  ui.wait_for(function()
    return ui.find('Nothing of this folder')
  end)
  child.lua(function()
    vim.cmd('botright vnew')
    vim.bo.buftype = 'nofile'
    vim.cmd('wincmd =')
    _G.over = false
    require('himalaya.native').loop.reset_metrics()
    require('himalaya.sync.manager').start_sync('full', {}, function(err)
      _G.over = err and err.message or true
    end)
  end)
  ui.type('i')
  ui.wait_for(function()
    return ui.find('-- INSERT --')
  end)
  ui.wait_for(function()
    return ui.find('%[ %] ') or ui.find('[ ] ')
  end, 60000)
  local keys, cpu, over, typed = {}, {}, false, 0
  local began, asked = vim.uv.hrtime(), 0
  -- A minute of typing is enough.
  while over == false and vim.uv.hrtime() - began < 60e9 do
    if typed == 30 then
      typed = 0
      ui.press('<Esc>0Di', function()
        return not ui.find(('x'):rep(5))
      end)
    end
    typed = typed + 1
    local text = ('x'):rep(typed)
    local ms, computed = ui.press('x', function()
      return ui.line(1):find(text, 1, true)
    end)
    keys[#keys + 1], cpu[#cpu + 1] = ms, computed
    -- As fast as nobody types, but not at every moment of the loop.
    vim.wait(4)
    if vim.uv.hrtime() - asked > 2e8 then
      asked = vim.uv.hrtime()
      over = child.lua('return _G.over')
    end
  end
  assert(over == false or over == true, over)
  local longest = child.lua('return require("himalaya").metrics().loop')
  local stored = child.lua('return require("himalaya.sync.manager").get_sync_status().messages_done')
  ui.close()
  child.stop()
  local p99 = tools.percentile(keys, 99)
  report(figures.typing, {
    measured = ('p99 %s'):format(tools.ms(p99)),
    value = p99,
    met = p99 < 16,
    peer = ('median of %d keys %s, longest %s, computed p99 %s; longest turn of ours %.2f ms%s'):format(
      #keys,
      tools.ms(tools.median(keys)),
      tools.ms(tools.percentile(keys, 100)),
      tools.ms(tools.percentile(cpu, 99)),
      longest.longest_turn_ms,
      over and '' or (', %d messages on'):format(stored)
    ),
    detail = longest.by_room,
  })
end

function M.turns(tools, figures, report)
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder, 'p')
  local failed = {}
  for _, spec in ipairs(vim.fn.glob(tools.root .. '/tests/e2e/*_spec.lua', false, true)) do
    io.stderr:write('  ', vim.fs.basename(spec), ' ...\n')
    local argv = { vim.env.HIMALAYA_NVIM, '-u', 'NONE', '-i', 'NONE', '-l', 'tests/run.lua', spec }
    local done =
      vim.system(argv, { text = true, cwd = tools.root, env = { HIMALAYA_TURNS = folder } }):wait(600000)
    if done.code ~= 0 then
      failed[#failed + 1] = vim.fs.basename(spec)
      io.stderr:write(done.stdout or '')
    end
  end
  local sum = turns.sum(folder)
  report(figures.turns, {
    measured = turns.text(sum),
    value = sum.longest_ms,
    met = sum.longest_ms <= 4 and sum.over <= sum.busy / 1000 and #failed == 0,
    peer = 'longest slices: '
      .. turns.rooms(sum)
      .. (#failed > 0 and '; failed: ' .. table.concat(failed, ', ') or ''),
    detail = sum,
  })
end

function M.neomutt(tools, figures, report)
  local done = vim
    .system({ 'python3', 'tests/bench/peers/neomutt.py' }, {
      text = true,
      cwd = tools.root,
      stdin = vim.json.encode({ maildir = mailbox.maildir(tools.messages), header_cache = true }),
    })
    :wait(300000)
  if done.code ~= 0 then
    report(figures.neomutt, { measured = 'not here', met = true, peer = vim.trim(done.stderr) })
    return
  end
  local found = vim.json.decode(done.stdout)
  report(figures.neomutt, {
    measured = ('%.2f s, %.2f s with its cache'):format(found.seconds, found.again_seconds),
    value = found.seconds,
    met = true,
    peer = ('neomutt %s, %d messages'):format(found.version, found.messages),
  })
end

return M
