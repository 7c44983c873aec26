-- What scripts/screenshot runs: the demo's server, a child Neovim with a screen on it, a few keys, two pictures.
local root = vim.env.HIMALAYA_ROOT
package.path = root .. '/?.lua;' .. package.path

local child_of = require('tests.child')
local svg = require('scripts.svg')
local ui_of = require('tests.ui')

local COLUMNS, LINES = 116, 36
-- A Thursday in March, twenty to ten.
local NOW = 1773308400

---@return table process
---@return table ready
local function start_server()
  local said = ''
  local server = vim.system({
    'python3',
    root .. '/scripts/demo/server.py',
    '--messages',
    '1200',
    '--every',
    '0',
    '--last-date',
    tostring(NOW - 120),
  }, {
    stdin = true,
    env = { PYTHONDONTWRITEBYTECODE = '1', PYTHONUNBUFFERED = '1' },
    stdout = function(_, data)
      said = said .. (data or '')
    end,
  })
  child_of.wait_for(function()
    return said:find('\n', 1, true)
  end, 60000, 'the demo server')
  return server, vim.json.decode(said)
end

---@param ready table
---@return table
local function options(ready)
  return {
    accounts = dofile(root .. '/scripts/demo/accounts.lua')(ready),
    default_account = 'home',
    async = { enabled = false },
    notify = { progress = false },
  }
end

-- The clock stands still from the first line on.
local INIT = ([[
local time, date = os.time, os.date
os.time = function(of) return of and time(of) or %d end
os.date = function(how, at) return date(how, at or %d) end
vim.o.laststatus = 3
vim.o.statusline = '%%#Normal# %%=%%{v:lua.require("himalaya").statusline()} '
vim.o.ruler = false
vim.o.showcmd = false
vim.opt.fillchars = { eob = ' ' }
]]):format(NOW, NOW)

local function write(path, text)
  local file = assert(io.open(path, 'w'))
  file:write(text)
  file:close()
  io.write(path, '\n')
end

local function take(folder)
  local server, ready = start_server()
  local child = child_of.start({ setup = options(ready), init = INIT })
  local ui = ui_of.attach(child, COLUMNS, LINES)
  ui.type(':Himalaya<CR>')
  ui.wait_for(function()
    return ui.find('Nothing of this folder')
  end)
  local err = child.await(function(done)
    require('himalaya.sync.manager').start_sync('full', {}, function(err)
      done(err and err.message or false)
    end)
  end)
  assert(not err, err)
  -- All accounts have their folders and counts, and the list its page.
  ui.wait_for(function()
    return ui.find('Page 1 / ') and ui.find('▾ weather') and ui.line(8):find('%[ %] ')
  end, 30000)
  -- What the end of a sync says is gone after some seconds, and not what the picture is about.
  child.lua('vim.wait(5300)')
  local function press(keys, condition)
    ui.type(keys)
    ui.wait_for(condition, 15000, 'the picture after ' .. keys)
  end
  press('gg4j*', function()
    return ui.line(5):find('%[ %] %*')
  end)
  press('2j<Space>j<Space>', function()
    return ui.line(7):find('%[x%]') and ui.line(9):find('%[x%]')
  end)
  press('P', function()
    return ui.find('From: ')
  end)
  -- One whose text says something to most.
  child.lua(function()
    vim.fn.search('Reading room.*Opening hours', 'w')
    vim.fn.winrestview({ topline = 1 })
  end)
  child.cmd('echo ""')
  -- Nothing moves any more.
  local flushes
  child_of.wait_for(function()
    local before = flushes
    flushes = ui.flushes
    child.lua('vim.wait(300)')
    return before == ui.flushes
  end, 15000, 'a picture that stays')
  for _, background in ipairs({ 'dark', 'light' }) do
    local was = ui.default.background
    child.lua('vim.o.background = ...', background)
    child_of.wait_for(function()
      return background == 'dark' or ui.default.background ~= was
    end, 5000, 'the other colours')
    child.lua('vim.cmd("redraw!") vim.wait(200)')
    local title = 'Folders of four accounts, the list of an inbox and a message, in Neovim'
    write(('%s/screenshot-%s.svg'):format(folder, background), svg.render(ui, title))
  end
  ui.close()
  child.stop()
  server:write(nil)
  server:wait(15000)
end

local ok, problem = xpcall(take, debug.traceback, arg[1])
child_of.stop_all()
if not ok then
  io.stderr:write(problem, '\n')
  os.exit(1)
end
