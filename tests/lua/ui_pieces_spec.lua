-- Small parts of the screen by themselves: folded threads, anchored columns, failures as sentences, names of files.
local attachments = require('himalaya.ui.attachments')
local errors = require('himalaya.errors')
local format = require('himalaya.ui.format')
local columns = require('himalaya.ui.columns')
local sidebar_rows = require('himalaya.ui.sidebar_rows')
local text = require('himalaya.ui.text')
local threads = require('himalaya.ui.threads')

local function item(id, thread, flags)
  return {
    id = id,
    thread = thread,
    flags = vim.tbl_extend('force', { seen = true, flagged = false }, flags or {}),
    subject = 'subject ' .. id,
    from = { name = 'Ann', addr = 'ann@example.org' },
    date = id,
    size = 100,
  }
end

describe('a folded thread', function()
  local items = { item(1, 10), item(2, 20), item(3, 20), item(4, 20), item(5), item(6), item(7, 30) }

  local function seen(folded)
    return vim.tbl_map(function(entry)
      return entry.members and #entry.members or entry.item.id
    end, threads.entries(items, folded))
  end

  it('is one entry, and what has no other message is never folded', function()
    assert.same(
      { 1, 3, 5, 6, 7 },
      seen(function()
        return true
      end)
    )
    assert.same(
      { 1, 2, 3, 4, 5, 6, 7 },
      seen(function(thread)
        return thread == 10
      end)
    )
    assert.same({}, threads.entries({}, error))
  end)

  it('looks unread, starred and waiting when one of it is', function()
    local members = { item(1, 1), item(2, 1, { seen = false }), item(3, 1, { flagged = true }) }
    members[2].pending = true
    local one = threads.as_one(members)
    assert.is_false(one.flags.seen)
    assert.is_true(one.flags.flagged)
    assert.is_true(one.pending)
    assert.equal(3, one.date)
    assert.equal('subject 1', one.subject)
    -- What it is made of is as it was.
    assert.is_true(members[1].flags.seen)
    assert.is_nil(members[1].pending)
    local row = format.row(one, columns.of(100), { count = 3 })
    assert.matches('▸ %(3%) subject 1', row.text)
  end)
end)

describe('a column behind letters that join', function()
  local HINDI, THAI = 'पुस्तकालय', 'ห้องสมุด'

  it('is anchored, and only there', function()
    for _, plain in ipairs({
      'plain',
      'Grüße',
      'Читальный',
      '開館時間',
      '도서관',
      'שעות',
      '',
    }) do
      assert.is_false(text.drifts(plain), plain)
    end
    for _, joined in ipairs({ HINDI, THAI, 'مكتبة', 'បណ្ណាល័យ' }) do
      assert.is_true(text.drifts(joined), joined)
    end
    local plan = columns.of(100)
    local hindi = item(1)
    hindi.from.name, hindi.subject = HINDI, HINDI
    assert.is_truthy(format.row(hindi, plan, {}).text:find(text.ANCHOR, 1, true))
    assert.is_nil(format.row(item(2), plan, {}).text:find('\239\184\143', 1, true))
    for cells = 10, 200 do
      assert.is_true(text.width(format.row(hindi, columns.of(cells), {}).text) <= cells, cells)
    end
  end)

  it('never goes beyond the window, however a terminal draws it', function()
    local long = item(1)
    long.subject = HINDI:rep(40)
    for _, cells in ipairs({ 20, 40, 60, 100, 200 }) do
      local row = format.row(long, columns.of(cells), {})
      -- Each letter a cell of its own is the most a terminal draws before the next column.
      local at, cell = 0, 0
      for _, column in ipairs(columns.of(cells).columns) do
        if column.name == 'subject' then
          at = cell
        end
        cell = cell + column.width + 1
      end
      local first = row.text:find('प', 1, true)
      local last = row.text:find(text.ANCHOR, first, true) or #row.text + 1
      assert.is_true(at + vim.fn.strchars(vim.trim(row.text:sub(first, last - 1))) <= cells, cells)
    end
    assert.equal('', text.bound(HINDI, 5, 0))
    assert.equal(HINDI, text.bound(HINDI, 50, 50))
  end)

  it('of a message ends in an anchor that stands behind all that may be drawn', function()
    local anchors = require('himalaya.ui.anchors')
    assert.is_nil(anchors.behind('plain words', 80))
    for _, cells in ipairs({ 12, 30, 80, 200 }) do
      for _, line in ipairs({ HINDI, 'مكتبة', HINDI .. ' ' .. THAI, (HINDI .. ' '):rep(20) }) do
        local behind = anchors.behind(line, cells)
        local taken = text.width(line)
        if taken < cells then
          assert.equal(text.ANCHOR, behind:sub(-#text.ANCHOR))
          local most = math.min(vim.fn.strchars(line), cells - 1)
          assert.equal(math.max(most, taken), taken + #behind - #text.ANCHOR)
        end
        -- In one row it never wraps.
        assert.is_true(not behind or taken > cells or taken + text.width(behind) <= cells)
      end
    end
  end)

  it('keeps a sidebar to itself', function()
    for width = 10, 40 do
      local rows = sidebar_rows.of({
        {
          name = 'home',
          state = { state = 'idle', pending_ops = 0 },
          folders = {
            { id = 1, path = HINDI:rep(5), name = HINDI:rep(5), unread = 12, selectable = true },
            { id = 2, path = THAI, name = THAI, selectable = true },
          },
        },
      }, { width = width, closed = {} })
      for _, row in ipairs(rows) do
        assert.is_true(text.width(row.text) <= width, row.text)
        for _, span in ipairs(row.spans) do
          assert.is_true(span[1] <= span[2] and span[2] <= #row.text)
        end
      end
      assert.matches('12$', rows[2].text)
    end
  end)
end)

describe('a failure', function()
  local function sentence(message, hint, doing)
    return errors.sentence({ message = message, hint = hint }, doing)
  end

  it('reads as whole sentences, whoever wrote it', function()
    assert.equal('There is no such folder. Sync first.', sentence('there is no such folder', 'sync first'))
    assert.equal(
      'Nothing was moved: there is no such folder. Sync first.',
      sentence('there is no such folder', 'sync first', 'Nothing was moved')
    )
    assert.equal('Done already.', sentence('Done already.', ''))
    assert.equal('Is it?', sentence('is it?'))
    -- A name keeps its spelling.
    assert.equal('imap.example.org does not answer.', sentence('imap.example.org does not answer'))
    assert.equal('w3m ended with 1.', sentence('w3m ended with 1'))
    assert.equal('One line of two.', sentence('one line\nof two'))
    assert.equal('A plain text.', errors.sentence('a plain text' --[[@as table]]))
  end)
end)

describe('the name of a file from mail', function()
  it('is a name and nothing more', function()
    local function name(given)
      return attachments._safe_name({ name = given })
    end
    assert.equal('hours.csv', name('hours.csv'))
    assert.is_nil(name('../../etc/passwd'):find('/', 1, true))
    assert.is_nil(name('..\\..\\x'):find('\\', 1, true))
    for _, given in ipairs({ '.bashrc', '-rf', '...', ' .x', '../.x' }) do
      assert.is_nil(name(given):find('^[%.%-%s]'), given)
    end
    assert.equal('attachment', name(''))
    assert.equal('attachment', name(nil))
    assert.is_nil(name('a\27[31m\nb'):find('%c'))
    local long = name(('é'):rep(500) .. '.tar')
    assert.is_true(#long <= 120)
    assert.matches('%.tar$', long)
    assert.equal(long, vim.fn.iconv(long, 'utf-8', 'utf-8'))
  end)
end)
