-- A resolver that never answers, while Neovim is closed: nothing waits for it.
local Child = require('tests.child')

-- Stands before libc's in the child: every look-up of a name takes for ever.
local SILENT = [[
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  FILE *told = fopen(getenv("SILENT_ASKED"), "a");
  fprintf(told, "%s\n", name);
  fclose(told);
  for (;;)
    pause();
}
]]

local function silent_resolver()
  local dir = vim.fn.tempname()
  vim.fn.mkdir(dir, 'p')
  vim.fn.writefile(vim.split(SILENT, '\n'), dir .. '/silent.c')
  local made = vim
    .system({
      'c++',
      '-x',
      'c++',
      '-fpermissive',
      '-w',
      '-shared',
      '-fPIC',
      '-o',
      dir .. '/silent.so',
      dir .. '/silent.c',
    })
    :wait()
  assert(made.code == 0, made.stderr)
  return {
    LD_PRELOAD = dir .. '/silent.so',
    SILENT_ASKED = dir .. '/asked',
    ASAN_OPTIONS = (vim.env.ASAN_OPTIONS or 'detect_leaks=0') .. ':verify_asan_link_order=0',
  },
    dir .. '/asked'
end

describe('a resolver that never answers', function()
  it('does not hold up :qa', function()
    local env, asked = silent_resolver()
    local child = Child.start({ env = env })
    child.lua(function()
      local auth = { type = 'password', value = 'x' }
      require('himalaya.imap').open({ host = 'imap.example.org', user = 'jane', auth = auth }, function() end)
    end)
    child.wait_for(function()
      return vim.uv.fs_stat(asked)
    end, 10000, 'the look-up')
    local code, ms = child.stop('qa!')
    assert.equal(0, code)
    assert.is_true(ms < Child.limit(300), ms .. ' ms')
  end)

  it('is given up at network_timeout, and the editor never waits', function()
    local env = silent_resolver()
    local child =
      Child.start({ env = env, setup = { performance = { network_timeout = 1, retry_attempts = 0 } } })
    child.lua(function()
      _G.longest, _G.last = 0, vim.uv.hrtime()
      _G.beat = vim.uv.new_timer()
      _G.beat:start(0, 5, function()
        local now = vim.uv.hrtime()
        _G.longest, _G.last = math.max(_G.longest, now - _G.last), now
      end)
    end)
    local err = child.await(function(done)
      local auth = { type = 'password', value = 'x' }
      require('himalaya.imap').open({ host = 'imap.example.org', user = 'jane', auth = auth }, done)
    end)
    assert.equal('timeout', err.code)
    assert.is_true(err.message:find('imap.example.org', 1, true) ~= nil)
    assert.is_true(child.lua('return _G.longest / 1e6') < Child.limit(500))
    child.stop()
  end)
end)
