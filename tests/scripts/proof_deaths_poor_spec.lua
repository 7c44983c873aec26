-- As proof_deaths_spec, with servers that can do less.
-- needs dovecot
local proof = require('tests.proof')

describe('no mail is lost when a sync dies', function()
  for tier = 3, 4 do
    it('by kill in tier ' .. tier, function()
      proof.run('killed.py', { '--tier', tier, '--share', proof.soak and '1/1' or '1/400' })
    end)
  end
  it('by kill where the server has neither MOVE nor UIDPLUS', function()
    local share = proof.soak and '1/2' or '1/300'
    proof.run('killed.py', { '--tier', 3, '--share', share, '--without', 'MOVE', '--without', 'UIDPLUS' })
  end)
end)
