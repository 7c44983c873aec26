-- A check that cannot fail is no check: each is shown a tree with one thing wrong, and the same tree mended.
local root = vim.env.HIMALAYA_ROOT
local limit = require('tests.child').limit

local function tree(files)
  local dir = vim.fn.tempname()
  files['CMakeLists.txt'] = files['CMakeLists.txt'] or 'set(ROOMS base loop jobs store)\n'
  for path, text in pairs(files) do
    vim.fn.mkdir(vim.fs.dirname(dir .. '/' .. path), 'p')
    local file = assert(io.open(dir .. '/' .. path, 'wb'))
    file:write(text)
    file:close()
  end
  return dir
end

--- Runs one of the house's own checks over a tree; gives true or false, and what it said.
local function lint(check, files)
  local argv = { vim.env.HIMALAYA_NVIM, '-u', 'NONE', '-i', 'NONE', '-l', root .. '/scripts/lint.lua', check }
  local done = vim.system(vim.list_extend(argv, { tree(files) }), { text = true }):wait(limit(20000))
  return done.code == 0, done.stdout .. done.stderr
end

local function refuses(check, files, pattern)
  local ok, said = lint(check, files)
  assert.is_false(ok, 'accepted: ' .. vim.inspect(files))
  assert.matches(pattern, said)
end

local function accepts(check, files)
  local ok, said = lint(check, files)
  assert.is_true(ok, said)
end

describe('the order of the rooms', function()
  it('lets a room include itself and those above', function()
    accepts('rooms', {
      ['cpp/base/error.hpp'] = '#pragma once\n',
      ['cpp/loop/loop.hpp'] = '#include "base/error.hpp"\n#include <uv.h>\n',
      ['cpp/loop/loop.cpp'] = '#include "loop/loop.hpp"\n#include <string>\n',
      ['cpp/lua/jobs.cpp'] = '#include "loop/loop.hpp"\n#include <lua.h>\n',
      ['cpp/store/db.cpp'] = '#include <sqlite3.h>\n',
      ['cpp/programs/guardian.cpp'] = '#include "base/error.hpp"\n',
    })
  end)

  for what, case in pairs({
    ['a room below'] = { 'cpp/base/a.cpp', '#include "loop/loop.hpp"', 'may not include loop/' },
    ['lua in a room'] = { 'cpp/jobs/a.cpp', '#include "lua/x.hpp"', 'may not include lua/' },
    ['lua.h elsewhere'] = { 'cpp/jobs/a.cpp', '  #  include <lua.h>', 'does not belong in jobs/' },
    ['lauxlib in quotes'] = { 'cpp/jobs/a.cpp', '#include "lauxlib.h"', 'does not belong in jobs/' },
    ['uv in base'] = { 'cpp/base/a.hpp', '#include <uv.h>', 'knows nothing of uv' },
    ['SQLite outside the store'] = { 'cpp/jobs/a.cpp', '#include <sqlite3.h>', 'does not belong in jobs/' },
    ['a bare name'] = { 'cpp/loop/a.cpp', '#include "loop.hpp"', 'room/file.hpp' },
    ['a way round'] = { 'cpp/loop/a.cpp', '#include "../base/error.hpp"', 'room/file.hpp' },
    ['a file that is not there'] = { 'cpp/loop/a.cpp', '#include "base/gone.hpp"', 'does not exist' },
    ['a folder that is no room'] = { 'cpp/attic/a.cpp', '', 'in no room' },
    ['a program with the loop in it'] = {
      'cpp/programs/a.cpp',
      '#include "loop/loop.hpp"',
      'may not include loop/',
    },
  }) do
    it('refuses ' .. what, function()
      refuses('rooms', {
        ['cpp/base/error.hpp'] = '',
        ['cpp/loop/loop.hpp'] = '',
        ['cpp/lua/x.hpp'] = '',
        [case[1]] = case[2] .. '\n',
      }, case[3])
    end)
  end

  it('is not taken in by another spelling', function()
    local ok, said = lint('rooms', {
      ['cpp/base/error.hpp'] = '',
      ['cpp/loop/a.hpp'] = '',
      ['cpp/jobs/b.hpp'] = '',
      ['cpp/loop/a.cpp'] = table.concat({
        '#include <jobs/b.hpp>',
        '#include <luajit-2.1/lua.h>',
        '/* for the host */ #include <luajit.h>',
        '#include <net/if.h>',
        '#include <base/error.hpp>',
      }, '\n'),
      ['cpp/loop/a.inc'] = '#include "jobs/b.hpp"\n',
      ['cpp/loop/a.cc'] = '',
    })
    assert.is_false(ok)
    assert.equal(
      table.concat({
        'cpp/loop/a.cpp:1: loop/ may not include jobs/, which is below it',
        'cpp/loop/a.cpp:2: <luajit-2.1/lua.h> does not belong in loop/',
        'cpp/loop/a.cpp:3: <luajit.h> does not belong in loop/',
        'cpp/loop/a.inc:1: loop/ may not include jobs/, which is below it',
        'cpp/loop/a.cc:1: C++ of this house is in .hpp and .cpp files',
      }, '\n'),
      vim.trim(said)
    )
  end)

  it('refuses a tree without C++', function()
    refuses('rooms', { ['lua/a.lua'] = '' }, 'no C%+%+ found')
  end)
end)

describe('Lua that blocks', function()
  for _, code in ipairs({
    "vim.fn.system('date')",
    "vim.fn.systemlist({ 'date' })",
    'local fn = vim.fn; fn.readfile(path)',
    "vim.fn['system']('date')",
    'vim.fn["writefile"](lines, path)',
    "vim.api.nvim_call_function('jobwait', { ids })",
    'pcall(vim.fn.jobwait, ids)',
    "io.open('x')",
    "io.popen('x')",
    "os.execute('x')",
    'vim.wait(100)',
    "vim.system({ 'date' }):wait()",
    'job:wait(limit(10))',
    'vim.uv.fs_stat(path)',
    'uv.fs_open(path, "r", 420)',
    'pcall(vim.uv.fs_mkdir, path, 448)',
    'vim.uv.fs_read(fd, size(a, b), 0)',
    'vim.uv.sleep(10)',
  }) do
    it('is refused: ' .. code, function()
      refuses('blocking', { ['lua/a/b.lua'] = '-- one\n' .. code .. '\n' }, 'lua/a/b.lua:2: ')
      refuses('blocking', { ['plugin/a.lua'] = code .. '\n' }, 'plugin/a.lua:1: ')
    end)
  end

  for _, code in ipairs({
    "vim.system({ 'date' }, {}, function() end)",
    'vim.uv.fs_stat(path, function(err, stat) end)',
    'uv.fs_open(path, "r", 420, vim.schedule_wrap(function() end))',
    'uv.fs_close(fd, callback)',
    '-- io.open blocks, so does vim.fn.system()',
    '--[[ vim.wait(1) ]] local a = 1',
    "local text = 'never call vim.wait() or os.execute()'",
    'local text = [[\nio.open\n]]',
    'local systems = vim.fn.systems',
    'scenario.open(); audio.opening()',
    'handle:wait_for(1)',
    "local keys = { ['wait'] = 1, ['system'] = 2 }; local a = keys['system']",
    "M.system = 1; vim.call('getcwd'); vim.uv.fs_event_start(watch, path, {}, cb)",
    'local fn = {}; local t = a..b.. c',
    'local timer = vim.uv.new_timer(); local watch = vim.uv.new_fs_event()',
  }) do
    it('is not seen in: ' .. code, function()
      accepts('blocking', { ['lua/a.lua'] = code .. '\n' })
    end)
  end

  it('is refused in every spelling', function()
    local lines = {
      "vim['wait'](10)",
      "io['open']('x')",
      'os["execute"](\'x\')',
      "vim . fn . system('date')",
      "local call = vim.fn; call.systemlist('date')",
      'local loop, f = vim.uv or vim.loop, vim.fn; loop.fs_open(path, "r", 420)',
      'f.readfile(path)',
      'vim.loop.fs_stat(path)',
      '(vim.uv or vim.loop).fs_stat(path)',
      "vim.uv['fs_stat'](path)",
      "local libuv = require('luv'); libuv.sleep(10)",
      "require('luv').fs_stat(path)",
      'local job = start(); job.wait(job)',
      "vim.call('system', 'date')",
      "vim.fn.call('writefile', { {}, path })",
      "_G.io.popen('x')",
      'local all = { read = vim.fn.readfile }',
    }
    local ok, said = lint('blocking', { ['lua/a.lua'] = table.concat(lines, '\n') .. '\n' })
    assert.is_false(ok)
    for number, line in ipairs(lines) do
      assert.is_truthy(
        said:find(('lua/a.lua:%d: '):format(number), 1, true),
        'not found: ' .. line .. '\n' .. said
      )
    end
  end)

  it('is not looked for in nothing', function()
    refuses('blocking', { ['README.md'] = '' }, 'no Lua found')
  end)
end)

describe('scripts/lint', function()
  local function run(only, files)
    local argv = { root .. '/scripts/lint', '--only', only, '--root', tree(files) }
    local env = { XDG_CACHE_HOME = vim.env.HIMALAYA_CACHE_HOME }
    local done = vim.system(argv, { text = true, env = env }):wait(limit(60000))
    return done.code, done.stdout .. done.stderr
  end

  it('fails with its check and says which', function()
    local code, said = run('rooms', { ['cpp/base/a.cpp'] = '#include <lua.h>\n' })
    assert.equal(1, code)
    assert.matches('lint rooms%s+FAILED', said)
    code, said = run('rooms', { ['cpp/base/a.cpp'] = '#include <string>\n' })
    assert.equal(0, code, said)
    assert.matches('lint rooms%s+ok', said)
  end)

  it('finds C++ that the formatter would lay out otherwise', function()
    local style = io.open(root .. '/.clang-format', 'rb'):read('*a')
    assert.equal(
      1,
      (run('format', { ['cpp/base/a.cpp'] = 'int  f( ){return 1 ;}\n', ['.clang-format'] = style }))
    )
    assert.equal(0, (run('format', { ['cpp/base/a.cpp'] = 'int f();\n', ['.clang-format'] = style })))
  end)

  it('finds what luacheck finds', function()
    local settings = io.open(root .. '/.luacheckrc', 'rb'):read('*a')
    assert.equal(1, (run('luacheck', { ['lua/a.lua'] = 'local a = b\n', ['.luacheckrc'] = settings })))
    assert.equal(0, (run('luacheck', { ['lua/a.lua'] = 'return vim.v\n', ['.luacheckrc'] = settings })))
  end)

  it('does not know other names', function()
    assert.equal(2, (run('spelling', {})))
  end)
end)
