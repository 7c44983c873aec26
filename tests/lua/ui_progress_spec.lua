-- Progress as text, and as Neovim's own messages where it has them.
local Child = require('tests.child')
local progress = require('himalaya.ui.progress')

local NOW = 1700000000

local function texts(rows)
  return vim.tbl_map(function(row)
    for _, span in ipairs(row.spans) do
      assert.is_true(span[1] < span[2] and span[2] <= #row.text)
    end
    return row.text
  end, rows)
end

describe('progress', function()
  it('has a bar, numbers and a line for each account', function()
    local rows = progress.rows({
      state = 'syncing',
      folder = 'INBOX',
      operation = 'Downloaded',
      percent = 37.5,
      messages_done = 45,
      messages_total = 120,
      bytes = 2 * 1024 * 1024,
      eta_seconds = 75,
      started_at = NOW - 4,
    }, {
      home = { state = 'syncing', pending_ops = 2 },
      office = { state = 'idle', last_sync = NOW - 720, pending_ops = 0 },
      old = { state = 'backoff', pending_ops = 0, error = { message = 'No route.\27[31m' } },
    }, NOW)
    assert.same({
      ' ⟳ Sync (4s): INBOX - Downloaded 45/120',
      ' ███████████░░░░░░░░░░░░░░░░░░░  37%',
      ' 45 of 120 messages, 2.0MB, 512KB a second, 1m 15s left',
      '',
      ' home                 syncs, 2 changes to send',
      ' office               idle, last synced 12m ago',
      ' old                  No route.',
    }, texts(rows))
  end)

  it('shows no percent and no time that nobody knows', function()
    assert.same(
      { ' ⟳ Sync: 7', ' 7 messages', '' },
      texts(progress.rows({ state = 'syncing', messages_done = 7 }, {}, NOW))
    )
    assert.same({ ' No sync runs.', '' }, texts(progress.rows({ state = 'idle' }, {}, NOW)))
  end)

  it('tells for each account that syncs what it is at', function()
    local rows = progress.rows(
      { state = 'syncing' },
      { home = { state = 'syncing', pending_ops = 0 }, office = { state = 'syncing', pending_ops = 1 } },
      NOW,
      {
        home = {
          folder = 'INBOX',
          operation = 'Downloaded',
          done = 30,
          total = 60,
          percent = 50,
          eta_seconds = 9,
        },
        office = { folder = '', operation = 'Connecting', done = 0, total = 0 },
      }
    )
    assert.same({
      ' ⟳ Sync',
      '',
      ' home                 █████░░░░░  50% INBOX - Downloaded 30/60, 9s left',
      ' office               Connecting, 1 changes to send',
    }, texts(rows))
  end)

  it('of another program is one line', function()
    assert.same(
      { ' = Syncing (external): 45/98 emails', ' 45 of 98 messages', '' },
      texts(progress.rows({ state = 'external', messages_done = 45, messages_total = 98 }, {}, NOW))
    )
  end)
end)

describe('the lualine component', function()
  it('gives the statusline', function()
    local child = Child.start()
    local shown = child.lua(function()
      package.preload['lualine.component'] = function()
        return {
          extend = function()
            return {}
          end,
        }
      end
      require('himalaya').setup({ accounts = { home = { maildir = '~/Mail' } } })
      return require('lualine.components.himalaya').update_status()
    end)
    assert.equal('Mail', shown)
    child.stop()
  end)
end)
