-- The promise to a newcomer: what is missing is installed or named exactly, and the README tells the same story.
local root = vim.env.HIMALAYA_ROOT
local limit = require('tests.child').limit

local function read(path)
  local file = assert(io.open(path, 'rb'))
  local text = file:read('*a')
  file:close()
  return text
end

local function packages(section)
  local names, on = {}, false
  for line in read(root .. '/scripts/packages.txt'):gmatch('[^\n]+') do
    if line:match('^%[') then
      on = line == '[' .. section .. ']'
    elseif on and not line:match('^#') then
      local name, reason = line:match('^(%S+)%s+(%S.*)$')
      assert(reason, 'no reason given: ' .. line)
      names[#names + 1] = (name:gsub(':.*', ''))
    end
  end
  assert(#names > 0, 'no section ' .. section)
  return names
end

--- A copy of the set-up that needs one package which cannot exist, readable by everybody.
local function copy()
  local dir = vim.fn.tempname()
  vim.fn.mkdir(dir .. '/scripts', 'p', '0755')
  vim.uv.fs_chmod(vim.fs.dirname(dir), 493)
  vim.uv.fs_chmod(dir, 493)
  local list =
    '[product]\ng++  compiles\nhimalaya-no-such-package  is for this test\nnone:sh  has its program\n'
  vim.fn.writefile(vim.split(list, '\n'), dir .. '/scripts/packages.txt')
  assert(vim.uv.fs_copyfile(root .. '/scripts/setup', dir .. '/scripts/setup'))
  vim.uv.fs_chmod(dir .. '/scripts/setup', 493)
  return dir
end

describe('the list of packages', function()
  it('gives a reason for each, and the README tells of those the product and its tests need', function()
    local readme = read(root .. '/README.md')
    for _, section in ipairs({ 'product', 'tests', 'neovim' }) do
      for _, name in ipairs(packages(section)) do
        assert(readme:find('`' .. name .. '`', 1, true), 'not in the README: ' .. name)
      end
    end
    packages('lint')
    packages('fuzz')
    packages('peers')
  end)
end)

describe('scripts/setup', function()
  it('is content where nothing is missing', function()
    local done = vim
      .system({ root .. '/scripts/setup', 'product', 'tests' }, { text = true })
      :wait(limit(60000))
    assert.equal(0, done.code)
    assert.equal('', done.stdout .. done.stderr)
  end)

  it('lists exactly what to install where it may not install', function()
    local dir = copy()
    local done = vim
      .system({ dir .. '/scripts/setup', '--check', 'product' }, { text = true })
      :wait(limit(20000))
    assert.equal(1, done.code)
    assert.matches('himalaya%-no%-such%-package%s+is for this test', done.stderr)
    assert.matches('apt%-get install %-%-no%-install%-recommends himalaya%-no%-such%-package\n', done.stderr)
  end)

  it('does not try as a user without rights', function()
    if vim.uv.getuid() ~= 0 then
      pending('only root can become somebody else')
      return
    end
    local argv = { 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'scripts/setup', 'product' }
    local done = vim.system(argv, { text = true, cwd = copy() }):wait(limit(20000))
    assert.equal(1, done.code, done.stderr)
    assert.matches('Missing on this machine', done.stderr)
    assert.matches('himalaya%-no%-such%-package', done.stderr)
    assert.is_nil(done.stderr:find('Installing', 1, true))
  end)

  it('does not know other sections', function()
    assert.equal(2, vim.system({ root .. '/scripts/setup', 'games' }):wait(limit(20000)).code)
  end)
end)

describe('scripts/neovim', function()
  it('needs no network once it has run', function()
    local env = { XDG_CACHE_HOME = vim.env.HIMALAYA_CACHE_HOME, http_proxy = 'http://127.0.0.1:9' }
    local done = vim.system({ root .. '/scripts/neovim' }, { text = true, env = env }):wait(limit(20000))
    assert.equal(0, done.code, done.stderr)
    assert.matches('/nvim%-0%.10\n.*/nvim%-newest\n', done.stdout)
    assert.equal('', done.stderr)
  end)

  it('takes a Neovim of your own', function()
    local cache = vim.fn.tempname()
    local env = { XDG_CACHE_HOME = cache, HIMALAYA_NVIM_NEWEST = vim.env.HIMALAYA_NVIM }
    local done = vim
      .system({ root .. '/scripts/neovim', 'newest' }, { text = true, env = env })
      :wait(limit(20000))
    assert.equal(0, done.code, done.stderr)
    assert.equal(cache .. '/himalaya.nvim/neovim/nvim-newest\n', done.stdout)
    local version = vim.system({ vim.trim(done.stdout), '--version' }, { text = true }):wait(limit(20000))
    assert.matches(('NVIM v0.%d'):format(vim.version().minor), version.stdout)
  end)
end)
