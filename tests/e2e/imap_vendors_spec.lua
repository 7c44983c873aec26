-- himalaya.imap against servers that speak as the vendors do.
local servers = require('tests.servers')
local support = require('tests.imap_support')
local words = { describe = describe, it = it, setup = setup, teardown = teardown }

for _, name in ipairs({ 'gmail', 'exchange', 'icloud', 'yahoo', 'courier', 'proton' }) do
  support.every_call_works(words, name, function()
    return servers.vendor(name, { messages = 30 })
  end)
end
