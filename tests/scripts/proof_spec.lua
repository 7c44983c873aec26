-- Nothing is lost where others lost mail, where the line breaks at any byte, and where the disk is full, broken or not
-- to be written: tests/proof says how that is tried.
-- needs dovecot
local proof = require('tests.proof')

describe('no mail is lost', function()
  -- Every class of tests that stands there, so that none is forgotten.
  for _, program in ipairs({ 'losses.py', 'imports.py', 'faults.py' }) do
    for line in io.lines(vim.env.HIMALAYA_ROOT .. '/tests/proof/' .. program) do
      local class = line:match('^class (%w+)%(')
      if class then
        it(('where others lost it: %s in %s'):format(class, program), function()
          proof.run(program, { class }, false)
        end)
      end
    end
  end
  for _, tier in ipairs(proof.soak and { 1, 2, 3, 4 } or { 1, 3 }) do
    it('when the line breaks at random bytes in tier ' .. tier, function()
      proof.run('cuts.py', { '--tier', tier, '--runs', proof.soak and 50 or 1 })
    end)
  end
  it('when answers come too late', function()
    proof.run('cuts.py', { '--late', '--tier', 1 })
  end)
  for _, disk in ipairs({ 'readonly', 'small', 'full', 'broken' }) do
    it('when the disk is ' .. disk, function()
      proof.run('disk.py', { disk, '--share', proof.soak and '1/4' or '1/400' })
    end)
  end
end)
