-- A sync that dies at any place where it touches the world has lost nothing: tests/proof says how that is tried. Here a
-- share of those places, always the same; --soak tries every one.
-- needs dovecot
local proof = require('tests.proof')

describe('no mail is lost when a sync dies', function()
  for tier = 1, 2 do
    it('by kill in tier ' .. tier, function()
      proof.run('killed.py', { '--tier', tier, '--share', proof.soak and '1/1' or '1/300' })
    end)
  end
  for _, harm in ipairs({ 'torn', 'power' }) do
    it('by ' .. harm, function()
      proof.run('killed.py', { '--tier', 1, '--harm', harm, '--share', proof.soak and '1/3' or '1/400' })
    end)
  end
end)
