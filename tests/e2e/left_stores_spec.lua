-- needs dovecot
-- What :checkhealth says of stores that belong to no account any more, as those of accounts that were renamed.
local child = require('tests.child')
local servers = require('tests.servers')
local support = require('tests.mail_support')
local good = support.good

local dovecot, place

local function start(name)
  return child.start({
    dir = place,
    setup = {
      accounts = { [name] = { email = 'home@example.org', imap = dovecot:imap('home') } },
      async = { enabled = false },
    },
  })
end

local function health(nvim)
  nvim.cmd('checkhealth himalaya')
  return nvim.lua('return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")')
end

describe('a store of no account', function()
  before_each(function()
    place = vim.fn.tempname()
    dovecot = servers.dovecot({ users = { 'home' }, messages = 20 })
  end)
  after_each(function()
    child.stop_all()
    servers.stop()
    vim.fn.delete(place, 'rf')
  end)

  it('is named, with its size and what waits in it, and what to do', function()
    local nvim = start('home')
    good(nvim.await(function(done)
      require('himalaya.sync.manager').start_sync('full', {}, function(err)
        done({ err = err and { message = err.message } })
      end)
    end))
    assert.is_nil(health(nvim):find('no account of the options', 1, true))
    local items = good(support.call(nvim, 'list', 'home', 'INBOX', { page_size = 2 })).items
    for _, item in ipairs(items) do
      good(support.call(nvim, 'flag', 'home', 'INBOX', item.id, { add = { 'flagged' } }))
    end
    nvim.stop()

    nvim = start('office')
    local text = health(nvim)
    assert.matches(
      '`home` %(%d[%d.]*[KM]%) is the store of no account of the options, and 2 changes wait',
      text
    )
    assert.matches('call it `home` again until they are sent', text)
    assert.matches('Remove .*/himalaya/home when you do not want it any more', text)
    -- One that is open belongs to its account.
    assert.equal('not_found', support.call(nvim, 'list', 'office', 'INBOX', {}).err.code)
    assert.is_nil(health(nvim):find('`office` (', 1, true))
    nvim.stop()

    -- As it is told: under its old name again what waits is sent, and the store may go.
    nvim = start('home')
    good(nvim.await(function(done)
      require('himalaya.sync.manager').start_sync('full', {}, function(err)
        done({ err = err and { message = err.message } })
      end)
    end))
    nvim.stop()
    nvim = start('office')
    assert.matches(
      '`home` %(.*%) is the store of no account of the options; nothing in it waits',
      health(nvim)
    )
    nvim.stop()
  end)

  it('that cannot be read is named all the same', function()
    local nvim = start('home')
    local folder = nvim.lua('return require("himalaya.config").data_dir()') .. '/old'
    vim.fn.mkdir(folder, 'p')
    vim.fn.writefile({ 'no database' }, folder .. '/mail.db')
    vim.fn.mkdir(folder .. '-notes')
    local text = health(nvim)
    assert.matches(
      '`old` %(12%) is the store of no account of the options, and what waits in it cannot be read',
      text
    )
    assert.is_nil(text:find('old-notes', 1, true))
  end)
end)
