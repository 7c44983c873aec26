-- :checkhealth himalaya: looks at the real things (the module that is loaded, the programs that are found, the folder
-- the store will be in) and says for each what to do when it is not well.

local config = require('himalaya.config')

local M = {}

---@param health table
local function check_neovim(health)
  health.start('himalaya: Neovim')
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.10') == 1 then
    health.ok('Neovim ' .. version)
  else
    health.error('Neovim ' .. version .. ' is too old', 'Use Neovim 0.10 or newer.')
  end
  health.info('libuv ' .. vim.uv.version_string() .. ' by luv, ' .. (jit and jit.version or _VERSION))
end

-- Programs run without it too, so nobody would notice until a crash leaves some behind.
---@param health table
---@param native himalaya.Native
local function check_guardian(health, native)
  local path = vim.fs.dirname(native.path) .. '/himalaya_guardian'
  local problem = native.jobs.metrics().guardian.problem
  if vim.fn.executable(path) == 0 then
    problem = ('%s is missing.'):format(path)
  end
  if problem then
    health.error(
      'programs may outlive a crash of Neovim, for the guardian does not start: ' .. problem,
      'Run ./scripts/build, then start Neovim again.'
    )
  else
    health.ok('the guardian is there, nothing outlives Neovim')
  end
end

---@param health table
local function check_native(health)
  health.start('himalaya: native module')
  local ok, native = pcall(require, 'himalaya.native')
  if not ok then
    -- The loader's message ends with the command that mends it.
    local problem, advice = tostring(native):gsub('^himalaya: ', ''):match('^(.-)\n(.*)$')
    health.error(problem or tostring(native), advice or 'Run ./scripts/build, then start Neovim again.')
    return
  end
  health.ok('loaded from ' .. native.path)
  health.info('built from sources ' .. native.stamp)
  for name, version in vim.spairs(native.versions()) do
    health.info(name .. ' ' .. version)
  end
  check_guardian(health, native)
end

local PROGRAMS = {
  { 'himalaya', "accounts with source = 'himalaya'", 'himalaya' },
  { 'mbsync', "accounts with source = 'maildir' that mbsync fills", 'mbsync' },
  { 'curl', 'tokens of OAuth providers', 'oauth2' },
  { 'w3m', 'HTML mail' },
}

---@param need string?
---@return string? account one that needs it
local function needed_by(need)
  for name, account in vim.spairs(config.get().accounts) do
    local auth = vim.tbl_get(account, 'imap', 'auth') or {}
    if
      (need == 'himalaya' and account.source == 'himalaya')
      or (need == 'mbsync' and account.mbsync)
      or (need == 'oauth2' and auth.type == 'oauth2' and auth.provider)
    then
      return name
    end
  end
end

---@param health table
local function check_programs(health)
  health.start('himalaya: programs')
  for _, row in ipairs(PROGRAMS) do
    local name, use, need = row[1], row[2], row[3]
    local wanted = config.get().binaries[name]
    local found = vim.fn.exepath(wanted)
    local account = needed_by(need)
    if found ~= '' then
      health.ok(('%s: %s'):format(name, found))
    elseif account then
      health.error(
        ('%s: `%s` is not there, and the account `%s` needs it'):format(name, wanted, account),
        ('Install %s, or set `binaries.%s` to its path.'):format(name, name)
      )
    else
      health.info(('%s: `%s` is not there; only needed for %s'):format(name, wanted, use))
    end
  end
end

---@param health table
local function check_options(health)
  health.start('himalaya: options')
  local problems = config.problems()
  for _, problem in ipairs(problems) do
    health.warn(problem.message, 'See :help himalaya-options.')
  end
  local names = config.account_names()
  if #problems == 0 then
    health.ok('nothing is wrong with them')
  end
  if #names == 0 then
    health.info('no accounts; :help himalaya-setup has an example')
  else
    for _, name in ipairs(names) do
      local account = config.account(name)
      health.info(
        ('account %s: %s%s'):format(name, account.source, account.email and ', ' .. account.email or '')
      )
    end
  end
end

---@param dir string
---@param kind string
---@return string
---@return string advice
local function on_network(dir, kind)
  return ('%s is on a network disk (%s): only one Neovim at a time can use the store there.'):format(
    dir,
    kind
  ),
    'Set `data_dir` to a folder on a disk of this machine.'
end

-- A network disk may take its time to answer, so the first check-up cannot have the answer in it; it is said when it
-- comes, and every later check-up knows it.
---@param health table
---@param dir string
---@param there string the nearest folder above it that exists
local function check_disk(health, dir, there)
  local disk = require('himalaya.core.disk')
  local kind = disk.kind(there)
  if kind then
    health.warn(on_network(dir, kind))
  elseif kind == false then
    health.ok('it is on a disk of this machine')
  else
    health.info('whether it is on a network disk is being looked up; a warning follows if so')
    disk.probe(there, function(_, found)
      if found then
        local text, advice = on_network(dir, found)
        require('himalaya.notify').warn(text .. ' ' .. advice)
      end
    end)
  end
end

-- Permissions do not tell of full or read-only disks: a folder is really made, and removed again.
---@param dir string
---@return boolean
local function can_write(dir)
  local probe = vim.fs.joinpath(dir, ('.himalaya-probe-%d'):format(vim.fn.getpid()))
  return pcall(vim.fn.mkdir, probe, '', 448) and vim.fn.delete(probe, 'd') == 0
end

-- An account that was renamed, or taken out of the options, leaves its store behind.
---@param health table
---@param dir string
local function check_stores(health, dir)
  local loads, native = pcall(require, 'himalaya.native')
  if not loads then
    return
  end
  local stores = native.mail.stores(dir)
  if not stores then
    health.info('the stores there could not be looked at in time')
    return
  end
  for _, store in ipairs(stores) do
    if not config.account(store.name) then
      local name = store.name:gsub('[%c\127]', '?')
      local folder = vim.fs.joinpath(dir, name)
      local size = require('himalaya.ui.format').size(store.bytes)
      local said = ('`%s` (%s) is the store of no account of the options'):format(name, size)
      local remove = ('Remove %s when you do not want it any more.'):format(folder)
      if not store.pending then
        health.warn(said .. ', and what waits in it cannot be read', remove)
      elseif store.pending == 0 then
        health.warn(said .. '; nothing in it waits to be sent', remove)
      else
        local changes = store.pending == 1 and '1 change waits' or ('%d changes wait'):format(store.pending)
        health.warn(('%s, and %s in it to be sent'):format(said, changes), {
          ('If its account has another name now, call it `%s` again until they are sent, '):format(name)
            .. 'or close Neovim and give the folder the new name, if there is none of that name yet.',
          remove,
        })
      end
    end
  end
end

---@param health table
local function check_data(health)
  health.start('himalaya: data')
  local dir = config.data_dir()
  local there = dir
  while vim.fn.isdirectory(there) == 0 and vim.fs.dirname(there) ~= there do
    there = vim.fs.dirname(there)
  end
  if can_write(there) then
    health.ok(dir == there and dir .. ' is writable' or dir .. ' can be made')
  else
    health.error(there .. ' is not writable', 'Make it writable, or set `data_dir` to a folder that is.')
  end
  check_disk(health, dir, there)
  check_stores(health, dir)
end

function M.check()
  local health = vim.health
  check_neovim(health)
  check_native(health)
  check_options(health)
  check_programs(health)
  check_data(health)
end

return M
