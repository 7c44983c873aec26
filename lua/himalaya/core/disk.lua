-- Which kind of file system holds a folder. Asking a server that is gone can take minutes, so the question goes to a
-- thread, and what was learnt is kept. It matters because SQLite's shared memory works on this machine's disks only.

local M = {}

-- As statfs(2) numbers them.
local NETWORK = {
  [0x6969] = 'NFS',
  [0x517B] = 'SMB',
  [0xFF534D42] = 'CIFS',
  [0xFE534D42] = 'SMB2',
  [0x01021997] = '9P',
  [0x5346414F] = 'AFS',
  [0x00C36400] = 'Ceph',
  [0x0BD00BD0] = 'Lustre',
}

local known = {} ---@type table<string, string|false>

--- The name of a network file system by its number, false for all others.
---@param number integer
---@return string|false
function M.network(number)
  -- The kernel's field is signed on some machines.
  return NETWORK[number % 0x100000000] or false
end

--- What is known of a folder: a network file system's name, false for a disk of this machine, nil when nobody asked.
---@param path string
---@return string|false|nil
function M.kind(path)
  return known[path]
end

--- Asks, and remembers.
---@param path string a folder that is there
---@param callback fun(err: himalaya.Error?, kind: string|false|nil)
function M.probe(path, callback)
  vim.uv.fs_statfs(path, function(problem, found)
    if found then
      known[path] = M.network(found.type)
    end
    vim.schedule(function()
      if problem then
        callback(
          require('himalaya.errors').new('not_found', path .. ' cannot be looked at: ' .. problem .. '.')
        )
      else
        callback(nil, known[path])
      end
    end)
  end)
end

return M
