-- scripts/test decides what may land, so it is shown suites that must not pass: in a small tree of its own, with the
-- real runner, the real Neovims and a build that has nothing to build.
local root = vim.env.HIMALAYA_ROOT
local limit = require('tests.child').limit

local function tree(specs)
  local dir = vim.fn.tempname()
  local function write(path, text)
    vim.fn.mkdir(vim.fs.dirname(dir .. '/' .. path), 'p')
    vim.fn.writefile(vim.split(text, '\n'), dir .. '/' .. path)
  end
  for _, path in ipairs({
    'scripts/test',
    'scripts/setup',
    'scripts/neovim',
    'scripts/packages.txt',
    'tests/run.lua',
    'tests/report.lua',
    'tests/child.lua',
  }) do
    vim.fn.mkdir(vim.fs.dirname(dir .. '/' .. path), 'p')
    assert(vim.uv.fs_copyfile(root .. '/' .. path, dir .. '/' .. path))
  end
  write('CMakeLists.txt', 'cmake_minimum_required(VERSION 3.24)\nproject(nothing LANGUAGES NONE)')
  write(
    'CMakePresets.json',
    [[{ "version": 3,
      "configurePresets": [{ "name": "release", "generator": "Ninja", "binaryDir": "${sourceDir}/build" }],
      "buildPresets": [{ "name": "release", "configurePreset": "release" }] }]]
  )
  for name, text in pairs(specs) do
    write('tests/lua/' .. name .. '_spec.lua', text)
  end
  return dir
end

--- The exit code, the last line and all that was said.
local function run(specs, ...)
  local argv = { tree(specs) .. '/scripts/test', '--quick', ... }
  local env = { XDG_CACHE_HOME = vim.env.HIMALAYA_CACHE_HOME }
  local done = vim.system(argv, { text = true, env = env }):wait(limit(120000))
  local lines = vim.split(vim.trim(done.stdout), '\n')
  return done.code, lines[#lines], done.stdout .. done.stderr
end

local function one(body)
  return ("describe('it', function() it('is one test', function() %s end) end)"):format(body)
end

describe('scripts/test', function()
  it('adds up what passed and was skipped on both Neovims, and closes with it', function()
    local code, last, said =
      run({ good = one(''), later = "pending('later')\n" .. one('assert.equal(1, 1)') })
    assert.equal(0, code, said)
    assert.equal('4 passed, 0 failed, 2 skipped', last)
  end)

  it('runs only what was asked for, and nothing by a name that is none', function()
    local specs = { good = one(''), bad = one('error("no")') }
    local code, last = run(specs, '--only', 'lua-0.10:good')
    assert.equal(0, code)
    assert.equal('1 passed, 0 failed, 0 skipped', last)
    code, last = run(specs, '--only', 'nothing')
    assert.equal(1, code)
    assert.equal('0 passed, 1 failed, 0 skipped', last)
    local _, _, said = run(specs, '--list')
    assert.equal('lua-0.10:bad\nlua-0.10:good\nlua-newest:bad\nlua-newest:good\n', said)
  end)

  for what, case in pairs({
    ['a test that fails'] = { one('assert.equal("this", "that")'), 'Expected objects to be equal' },
    ['a test that raises'] = { one('error("the reason")'), 'the reason' },
    ['a spec that does not parse'] = { 'local a = = 1', 'unexpected symbol' },
    ['a spec without tests'] = { 'return', 'it ran no test' },
    ['a Neovim that leaves half-way'] = { one('os.exit(0)'), 'it ran no test' },
    ['a Neovim that crashes'] = { one('vim.uv.kill(vim.uv.os_getpid(), "sigsegv")'), 'exit code 139' },
    ['a process left behind'] = {
      one("vim.fn.jobstart({ 'setsid', 'sleep', '61' }, { detach = true })"),
      'sleep 61.*it left the processes above running',
    },
  }) do
    it('fails with ' .. what .. ', and shows it', function()
      local code, last, said = run({ bad = case[1], good = one('') }, '--only', 'lua-newest')
      assert.equal(1, code, said)
      assert.matches('^%d passed, 1 failed, 0 skipped$', last)
      assert.matches(case[2], said)
      assert.matches('failed: lua%-newest:bad', said)
    end)
  end

  it('does not leave out of --quick what needs no server', function()
    local _, _, said = run({ plain = one(''), served = '-- needs dovecot\n' .. one('') }, '--list')
    assert.is_truthy(said:find('lua-newest:plain', 1, true))
    assert.is_nil(said:find('served', 1, true))
  end)
end)
