-- needs dovecot
-- A system that watches no more files: what this Neovim changes shows as ever, what another one changes soon.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

-- As the kernel answers when every watch it allows is taken, for our stores alone.
local FULL = [[
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

extern "C" int inotify_add_watch(int file, const char *path, uint32_t mask) {
    static int (*real)(int, const char *, uint32_t);
    size_t length = strlen(path);
    if (length > 8 && strcmp(path + length - 8, "/changes") == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (!real)
        real = (int (*)(int, const char *, uint32_t))dlsym(RTLD_NEXT, "inotify_add_watch");
    return real(file, path, mask);
}
]]

local dovecot, place

---@return table env
local function no_watches()
  vim.fn.mkdir(place, 'p', '0700')
  local source, library = place .. '/full.c', place .. '/full.so'
  vim.fn.writefile(vim.split(FULL, '\n'), source)
  local flags = { '-x', 'c++', '-fpermissive', '-w', '-shared', '-fPIC', '-o', library, source, '-ldl' }
  local made = vim.system(vim.list_extend({ 'c++' }, flags)):wait()
  assert(made.code == 0, made.stderr)
  return {
    LD_PRELOAD = library,
    ASAN_OPTIONS = (vim.env.ASAN_OPTIONS or 'detect_leaks=0') .. ':verify_asan_link_order=0',
  }
end

local function start(env, rate)
  return child.start({
    dir = place,
    env = env,
    setup = {
      accounts = { home = { email = 'home@example.org', imap = dovecot:imap('home') } },
      async = { enabled = false, ui_refresh_rate = rate },
    },
    init = [[
      _G.heard = {}
      require('himalaya.mail.home').subscribe(function(_, news)
        for _, message in ipairs(news.messages) do
          _G.heard[message.id] = message.flags.flagged
        end
      end)
    ]],
  })
end

local function flag(nvim, id, change)
  good(support.call(nvim, 'flag', 'home', 'INBOX', id, { [change] = { 'flagged' } }))
end

local function wait_until_heard(nvim, id, flagged)
  nvim.wait_for(function()
    return nvim.lua('return _G.heard[...]', id) == flagged
  end, 20000, 'news of the change')
end

describe('a system that watches no more files', function()
  before_each(function()
    place = vim.fn.tempname()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 5 })
  end)
  after_each(function()
    child.stop_all()
    servers.stop()
    vim.fn.delete(place, 'rf')
  end)

  it('shows what this Neovim does at once, and what another does after `async.ui_refresh_rate`', function()
    local one = start(no_watches(), 3600)
    good(one.await(function(done)
      require('himalaya.sync.manager').start_sync('full', {}, function(err)
        done({ err = err and { message = err.message } })
      end)
    end))
    local id = good(support.call(one, 'list', 'home', 'INBOX', {})).items[1].id
    flag(one, id, 'add')
    wait_until_heard(one, id, true)
    one.stop()
    -- The other one is told by the system.
    one = start(no_watches(), 1)
    good(support.call(one, 'list', 'home', 'INBOX', {}))
    local two = start(nil, 3600)
    good(support.call(two, 'list', 'home', 'INBOX', {}))
    flag(one, id, 'remove')
    wait_until_heard(two, id, false)
    wait_until_heard(one, id, false)
    flag(two, id, 'add')
    wait_until_heard(one, id, true)
    -- As soon as there is a watch to be had it is taken, and asked for no more.
    assert.is_false(one.lua([[return require('himalaya.native').mail.look('home')]]))
    assert.is_true(two.lua([[return require('himalaya.native').mail.look('home')]]))
  end)
end)
