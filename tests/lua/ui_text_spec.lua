-- Text from mail in cells: whatever a sender writes, a row stays one row and its columns stay where they are.
local Child = require('tests.child')
local text = require('himalaya.ui.text')

describe('cleaned text', function()
  local cases = {
    { 'plain words', 'plain words' },
    { '', '' },
    { '  two  blanks  ', 'two blanks' },
    { 'line one\r\n\tline two', 'line one line two' },
    { '\27[31mred\27[0m alert', 'red alert' },
    { '\27]0;new title\7subject', 'subject' },
    { '\27]8;;http://example.org\27\\link\27]8;;\27\\', 'link' },
    { '\27]52;c;ZXZpbA==', '52;c;ZXZpbA==' },
    { '\27Pq#0~\27\\after', 'after' },
    { '\27c\27(Bx', 'x' },
    { 'a\194\1551mb', 'ab' },
    { 'a\194\155', 'a' },
    { 'null\0byte\127', 'null byte' },
    { 'abc\226\128\174fed', 'abcfed' },
    { '\226\129\166isolated\226\129\169', 'isolated' },
    { 'zero\226\128\139width\239\187\191', 'zerowidth' },
    { 'soft\194\173hyphen', 'softhyphen' },
    { 'non\194\160breaking', 'non breaking' },
    { 'line\226\128\168separator', 'line separator' },
    { 'שלום עולם', 'שלום עולם' },
    { 'naïve café', 'naïve café' },
    { 'cafe\204\129', 'cafe\204\129' },
    { 'z\204\128\204\129\204\130\204\131\204\132x', 'z\204\128\204\129x' },
    { '\204\129 alone', 'alone' },
    { '日本語の件名', '日本語の件名' },
    { '👨‍👩‍👧‍👦 family', '👨 family' },
    { '👍🏽 ok', '👍 ok' },
    { '🏳️‍🌈 flag', '🏳 flag' },
    { '❤️‍🔥', '❤' },
    { '🇩🇪 news', 'DE news' },
    { '1️⃣ first', '1 first' },
    { '🏴\243\160\129\167\243\160\129\162\243\160\129\191x', '🏴x' },
    { '🎉🎉', '🎉🎉' },
    { 'bad \255\254 bytes', 'bad �� bytes' },
    { 'cut \240\159\145', 'cut ���' },
    { 'long form \192\175', 'long form ��' },
    { 'surrogate \237\160\128', 'surrogate ���' },
    { 'no character \239\191\191', 'no character �' },
  }

  it('is one safe line', function()
    for _, case in ipairs(cases) do
      assert.equal(case[2], text.clean(case[1]))
    end
    assert.equal('', text.clean(nil))
  end)

  it('cleaned again is the same', function()
    for _, case in ipairs(cases) do
      assert.equal(text.clean(case[1]), text.clean(text.clean(case[1])))
    end
  end)

  it('holds nothing that a terminal acts on, whatever bytes come', function()
    math.randomseed(7)
    local alphabet = {
      '\27',
      '[',
      ']',
      '0',
      'm',
      ';',
      '\7',
      '\\',
      '\226\128\141',
      '\204\129',
      '👨',
      'a',
      '\128',
      '\255',
      '\n',
    }
    for _ = 1, 2000 do
      local parts = {}
      for i = 1, math.random(1, 30) do
        parts[i] = math.random() < 0.7 and alphabet[math.random(#alphabet)]
          or string.char(math.random(0, 255))
      end
      local given = table.concat(parts)
      local clean = text.clean(given)
      assert.is_nil(clean:find('[%c\127]'), vim.inspect(given))
      assert.is_nil(clean:find('\194[\128-\159]'), vim.inspect(given))
      assert.equal(clean, text.clean(clean), vim.inspect(given))
      assert.is_true(pcall(vim.str_utfindex, clean))
      local cells = math.random(0, 12)
      assert.equal(cells, text.width(text.fit(clean, cells)), vim.inspect({ given, cells }))
    end
  end)

  it('of a megabyte takes its time, but not the evening', function()
    local began = vim.uv.hrtime()
    text.clean(('é\27[31m👨‍👩‍👧\n'):rep(50000))
    text.clean(('\27]0;'):rep(250000))
    text.clean(('\27[0'):rep(300000))
    assert.is_true((vim.uv.hrtime() - began) / 1e6 < Child.limit(3000))
  end)
end)

describe('a line to be read', function()
  it('keeps its blanks and tabs and nothing else of that kind', function()
    assert.equal('  indented\t\ttext  ', text.line('  indented\t\ttext  '))
    assert.equal('  é  👍', text.line('\27[1m  é  👍🏽\r'))
    assert.equal('a b', text.line('a\194\160b\226\128\174'))
    assert.equal('', text.line('\0\1\2'))
  end)

  it('passes by fast when its letters are known', function()
    local sure = ('Grüße aus Köln – “Ελλάδα”, Привет, 日本語の本文、 한국어 €5… '):rep(
      20
    )
    assert.equal(sure, text.line(sure))
    local took = {}
    for i, line in ipairs({ sure, sure .. '👍' }) do
      took[i] = math.huge
      for _ = 1, 20 do
        local began = vim.uv.hrtime()
        for _ = 1, 40 do
          text.line(line)
        end
        took[i] = math.min(took[i], vim.uv.hrtime() - began)
      end
    end
    assert.is_true(took[1] * 2 < took[2], vim.inspect(took))
  end)
end)

describe('fitted text', function()
  it('is cut at a letter, with an ellipsis, and filled', function()
    assert.equal('abc', text.truncate('abc', 3))
    assert.equal('ab…', text.truncate('abcd', 3))
    assert.equal('…', text.truncate('abcd', 1))
    assert.equal('', text.truncate('abcd', 0))
    assert.equal('', text.truncate('abcd', -5))
    assert.equal('日…', text.truncate('日本語', 4))
    assert.equal('日… ', text.fit('日本語', 4))
    assert.equal('cafe\204\129…', text.truncate('cafe\204\129 noir', 5))
    assert.equal('one…', text.truncate('one two', 5))
    assert.equal('ab  ', text.fit('ab', 4))
    assert.equal('  ab', text.fit('ab', 4, 'right'))
  end)

  it('keeps to its cells on the screen', function()
    local child = Child.start()
    child.resize(40, 10)
    local subjects = {
      '👨‍👩‍👧‍👦 family',
      '日本語の件名です',
      '\27[31mred',
      'z\204\128\204\129\204\130\204\131',
      '🇩🇪🇫🇷',
      'שלום',
      '1️⃣',
    }
    local lines = {}
    for i, subject in ipairs(subjects) do
      lines[i] = text.fit(text.clean(subject), 10) .. '|'
    end
    child.lua('vim.api.nvim_buf_set_lines(0, 0, -1, false, ...)', lines)
    for i = 1, #subjects do
      assert.equal('|', child.lua('vim.cmd.redraw() return vim.fn.screenstring(..., 11)', i), subjects[i])
    end
    child.stop()
  end)
end)
