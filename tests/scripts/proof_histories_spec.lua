-- Two of our processes and another client do what comes into their minds, some of ours die: in the end server and store
-- say the same, and nothing is lost. --soak tries many histories, from a seed that nobody tried before.
-- needs dovecot
local proof = require('tests.proof')

describe('server and store agree after a random history', function()
  for tier = 1, 4 do
    it('in tier ' .. tier, function()
      proof.run(
        'history.py',
        { '--tier', tier, '--runs', proof.soak and 30 or 1, '--steps', proof.soak and 60 or 15 }
      )
    end)
  end
  it('where the server has neither MOVE nor UIDPLUS', function()
    local much = { '--runs', proof.soak and 30 or 1, '--steps', proof.soak and 60 or 15 }
    proof.run('history.py', { '--tier', 4, '--without', 'MOVE', '--without', 'UIDPLUS', unpack(much) })
  end)
end)
