-- :checkhealth himalaya as a user sees it.
local Child = require('tests.child')

local function check(child)
  child.lua('vim.cmd("checkhealth himalaya")')
  return child.lua('return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")')
end

-- A line that has both words.
local function line_with(text, a, b)
  for line in text:gmatch('[^\n]+') do
    if line:find(a, 1, true) and line:find(b, 1, true) then
      return line
    end
  end
  error(('no line with %q and %q in:\n%s'):format(a, b, text))
end

describe(':checkhealth himalaya', function()
  it('looks at Neovim, the module, the options, the programs and the data', function()
    local child = Child.start({ setup = { binaries = { curl = '/bin/sh', w3m = 'no-such-program-here' } } })
    local text = check(child)
    line_with(text, 'OK', 'Neovim ')
    line_with(text, 'libuv', 'LuaJIT')
    line_with(text, 'OK', 'nothing is wrong with them')
    line_with(text, 'OK', 'curl: /bin/sh')
    line_with(text, 'w3m: `no-such-program-here`', 'only needed for HTML mail')
    line_with(text, 'OK', '/data/nvim/himalaya can be made')
    child.stop()
  end)

  it('shows the module with its place, its stamp and its libraries', function()
    local child = Child.start()
    local text = check(child)
    line_with(text, 'OK', 'himalaya_native.so')
    line_with(text, 'built from sources', require('himalaya.stamp'))
    line_with(text, 'OpenSSL ', '.')
    line_with(text, 'SQLite ', '.')
    child.stop()
  end)

  it('says how to mend a module that is missing', function()
    local child = Child.start({ env = { HIMALAYA_BUILD_DIR = '/nowhere' } })
    local text = check(child)
    line_with(text, 'ERROR', 'the module is not built: /nowhere/himalaya_native.so is missing.')
    line_with(text, 'cd ', './scripts/build')
    child.stop()
  end)

  it('says that the guardian is missing, without whom programs outlive a crash', function()
    local child = Child.start()
    line_with(check(child), 'OK', 'the guardian is there')
    child.stop()

    local build_dir = vim.env.HIMALAYA_BUILD_DIR or (vim.env.HIMALAYA_ROOT .. '/build')
    local dir = vim.fn.tempname()
    vim.fn.mkdir(dir)
    assert(vim.uv.fs_symlink(build_dir .. '/himalaya_native.so', dir .. '/himalaya_native.so'))
    child = Child.start({ env = { HIMALAYA_BUILD_DIR = dir } })
    line_with(check(child), 'ERROR', 'himalaya_guardian is missing.')
    child.stop()
    vim.fn.delete(dir, 'rf')
  end)

  it('shows what is wrong with the options, and never a password', function()
    local child = Child.start({
      setup = {
        sync = { intervall = 5 },
        accounts = {
          home = {
            email = 'someone@example.org',
            imap = { host = 'imap.example.org', auth = { value = 'hunter2' } },
          },
        },
      },
    })
    local text = check(child)
    line_with(text, 'WARN', 'did you mean `sync.interval`?')
    line_with(text, 'account home', 'imap, someone@example.org')
    assert.is_nil(text:find('hunter2', 1, true))
    child.stop()
  end)

  it('calls a program missing when an account needs it', function()
    local child = Child.start({
      setup = {
        binaries = { mbsync = 'no-such-mbsync' },
        accounts = { home = { maildir = '~/Mail', mbsync = { channel = 'home' } } },
      },
    })
    line_with(check(child), 'ERROR', '`no-such-mbsync` is not there, and the account `home` needs it')
    child.stop()
  end)

  it('finds a folder for data that cannot be made', function()
    local child = Child.start({ setup = { data_dir = '/proc/himalaya' } })
    line_with(check(child), 'ERROR', '/proc is not writable')
    child.stop()
  end)

  it('knows the disk at the second time', function()
    local child = Child.start()
    check(child)
    child.wait_for('return require("himalaya.core.disk").kind(vim.fn.stdpath("data")) ~= nil')
    line_with(check(child), 'OK', 'on a disk of this machine')
    child.stop()
  end)
end)

describe('a disk', function()
  local disk = require('himalaya.core.disk')

  it('is known by its number', function()
    assert.equal('NFS', disk.network(0x6969))
    assert.equal('CIFS', disk.network(0xFF534D42))
    assert.equal('CIFS', disk.network(0xFF534D42 - 0x100000000))
    assert.is_false(disk.network(0xEF53))
  end)

  it('that is not there is an error', function()
    local err, done
    disk.probe('/no/such/folder', function(problem)
      err, done = problem, true
    end)
    Child.wait_for(function()
      return done
    end)
    assert.equal('not_found', err.code)
  end)
end)
