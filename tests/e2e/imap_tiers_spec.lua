-- himalaya.imap against a real Dovecot whose capabilities are cut down to play all four tiers of servers.
local servers = require('tests.servers')
local support = require('tests.imap_support')
local words = { describe = describe, it = it, setup = setup, teardown = teardown }

for tier = 1, 4 do
  support.every_call_works(words, 'Dovecot, tier ' .. tier, function()
    return servers.dovecot({ users = { 'home' }, messages = 30, tier = tier })
  end)
end
