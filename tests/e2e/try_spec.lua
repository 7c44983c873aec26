-- scripts/try on a machine without a mail server: the local demo, which says that it is one.
local child = require('tests.child')

local function demos()
  return vim.fn.glob(vim.uv.os_tmpdir() .. '/himalaya-demo-*', true, true)
end

describe('scripts/try', function()
  it('shows a local demo where there is no server, and mail that comes', function()
    local left = demos()
    local run = vim
      .system({ 'scripts/try', '--headless', '--maildir' }, { text = true, cwd = vim.env.HIMALAYA_ROOT })
      :wait(child.limit(60000))
    assert.equal(0, run.code, run.stderr)
    assert.truthy(run.stdout:find('No mail server runs here', 1, true))
    local first, second = run.stdout:match('once synced\n(.-)\n== The sidebar, after 1 new in INBOX of (.*)$')
    for _, name in ipairs({ 'home', 'library', 'office', 'weather' }) do
      assert.truthy(first:find('▾ ' .. name .. '%s+%d+\n%s+INBOX%s+%d+\n'))
      assert.truthy(second:find('▾ ' .. name, 1, true))
    end
    assert.truthy(first:find('Lists\n%s+reading%s+%d+'))
    assert.not_equal(first, second:match('\n(.*)$'))
    -- The demo's own program takes them away when it sees that its Neovim is gone.
    child.wait_for(function()
      return vim.deep_equal(left, demos())
    end, 10000, 'the demo to take its mail away')
    assert.is_truthy(vim.uv.fs_stat(vim.env.HIMALAYA_ROOT .. '/doc/tags'), ':help himalaya finds nothing')
  end)

  it('says what it takes', function()
    local run = vim
      .system({ 'scripts/try', '--wrong' }, { text = true, cwd = vim.env.HIMALAYA_ROOT })
      :wait(child.limit(10000))
    assert.equal(2, run.code)
    assert.truthy(run.stdout:find('--maildir', 1, true))
  end)
end)
