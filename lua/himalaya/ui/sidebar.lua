-- The sidebar: every account and its folders in one buffer, which any number of tab pages may show. Folders come from
-- the stores once and are then kept true by what the stores tell.

local config = require('himalaya.config')
local live = require('himalaya.ui.live')
local mail = require('himalaya.mail')
local sidebar_rows = require('himalaya.ui.sidebar_rows')
local state = require('himalaya.core.state')
local views = require('himalaya.ui.view')

local M = {}

--- Like an address without an account: a session that was saved with a sidebar has one again.
M.NAME = 'himalaya:///himalaya-sidebar'

---@class (exact) himalaya.Sidebar
---@field buffer integer
---@field view himalaya.ViewBuffer
---@field folders table<string, himalaya.Folder[]> by account
---@field closed table<string, boolean>
---@field current? { account: string, folder: string }
---@field made? himalaya.SidebarMade

local sidebar ---@type himalaya.Sidebar?

---@return integer
local function width()
  local window = sidebar and vim.fn.bufwinid(sidebar.buffer) or -1
  return window == -1 and 24 or vim.api.nvim_win_get_width(window)
end

function M.paint()
  if not sidebar or sidebar.view.over then
    return
  end
  local accounts = {}
  for _, name in ipairs(config.account_names()) do
    accounts[#accounts + 1] = { name = name, state = state.account(name), folders = sidebar.folders[name] }
  end
  local rows
  rows, sidebar.made = sidebar_rows.of(accounts, {
    width = width(),
    closed = sidebar.closed,
    current = sidebar.current,
    made = sidebar.made,
  })
  sidebar.view:set(rows)
end

---@param name string
local function fetch(name)
  mail.folders(name, function(err, folders)
    if sidebar and not err then
      sidebar.folders[name] = folders
      M.paint()
    end
  end)
end

--- Asks the stores for their folders.
function M.refresh()
  if sidebar then
    for _, name in ipairs(config.account_names()) do
      fetch(name)
    end
    M.paint()
  end
end

--- Asks for what nobody knows yet; the rest is kept true by what the stores tell.
function M.complete()
  for _, name in ipairs(sidebar and config.account_names() or {}) do
    if not sidebar.folders[name] then
      fetch(name)
    end
  end
end

---@param account string
---@param news table
local function hear(account, news)
  local known = sidebar and sidebar.folders[account]
  if not known or news.too_many then
    fetch(account)
    return
  end
  local places = {}
  for at, folder in ipairs(known) do
    places[folder.id] = at
  end
  for _, folder in ipairs(news.folders) do
    local at = places[folder.id]
    -- A folder that is new, or has another name, may change the whole tree.
    if not at or known[at].path ~= folder.path then
      fetch(account)
      return
    end
    known[at] = folder
  end
end

---@param account string
---@param folder string
function M.set_current(account, folder)
  if sidebar then
    sidebar.current = { account = account, folder = folder }
    M.paint()
  end
end

---@return himalaya.SidebarRow?
local function row_here()
  return sidebar and sidebar.view:row() --[[@as himalaya.SidebarRow?]]
end

local function toggle()
  local row = row_here()
  if row and row.account and not (row.node and row.node.leaf) then
    sidebar.closed[row.key] = not sidebar.closed[row.key] or nil
    M.paint()
  end
end

local function open()
  local row = row_here()
  local node = row and row.node
  if node and node.folder and node.folder.selectable then
    require('himalaya.ui.screen').show(row.account, node.path)
  else
    toggle()
  end
end

---@return table<string, fun()>
local function handlers()
  local screen = require('himalaya.ui.screen')
  local function here()
    local row = row_here()
    local account = row and row.account or config.get().default_account
    return account, row and row.node and row.node.path
  end
  return vim.tbl_extend('error', screen.handlers(here), {
    open = open,
    toggle = toggle,
    back = function()
      screen.focus_list()
    end,
    undo = function()
      require('himalaya.ui.actions').undo((here()))
    end,
    refresh = function()
      require('himalaya.ui.commands').refresh()
    end,
  })
end

--- Makes a buffer that bears its name the sidebar.
---@param buffer integer
function M.attach(buffer)
  local folders = sidebar and sidebar.folders or {}
  local stop = live.listen({ news = hear, sync = M.paint, setup = M.refresh })
  local mine = { buffer = buffer, folders = folders, closed = sidebar and sidebar.closed or {} } --[[@as table]]
  sidebar = mine
  mine.view = views.attach(buffer, {
    name = 'sidebar',
    rows = true,
    handlers = handlers(),
    window = { winfixwidth = true },
    on_close = function()
      stop()
      if sidebar == mine then
        sidebar = nil
      end
    end,
  })
  vim.bo[buffer].buflisted = false
  M.paint()
end

--- The sidebar's buffer, made when there is none.
---@return integer
function M.buffer()
  if sidebar and not sidebar.view.over then
    return sidebar.buffer
  end
  local buffer = vim.fn.bufadd(M.NAME)
  vim.fn.bufload(buffer)
  if not M.is(buffer) then
    M.attach(buffer)
  end
  return buffer
end

---@param buffer integer
---@return boolean
function M.is(buffer)
  return sidebar ~= nil and sidebar.buffer == buffer
end

--- The folders of an account as they are shown; nil as long as nobody knows.
---@param account string
---@return himalaya.Folder[]?
function M.folders(account)
  return sidebar and sidebar.folders[account]
end

return M
