-- Two of our processes and another client do what comes into their minds, some of ours die: in the end server and store
-- say the same, and nothing is lost. --soak tries many histories, from a seed that nobody tried before.
-- needs dovecot
local proof = require('tests.proof')

describe('server and store agree after a random history', function()
  for tier = 1, 4 do
    it('in tier ' .. tier, function()
      proof.run('history.py', { '--tier', tier, '--runs', proof.soak and 150 or 2 })
    end)
  end
  it('where the server has neither MOVE nor UIDPLUS', function()
    local runs = proof.soak and 100 or 1
    proof.run('history.py', { '--tier', 4, '--runs', runs, '--without', 'MOVE', '--without', 'UIDPLUS' })
  end)
end)
