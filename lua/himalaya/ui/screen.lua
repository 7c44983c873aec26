-- The windows: a sidebar at one side and beside it the list of a folder or a message. :Himalaya opens them in the
-- current tab page; what stood in the window before comes back when they are closed.

local address = require('himalaya.ui.address')
local config = require('himalaya.config')
local lists = require('himalaya.ui.list')
local notify = require('himalaya.notify')
local sidebar = require('himalaya.ui.sidebar')

local M = {}

-- In fewer columns a list has no room for a sidebar beside it.
local LEAST_COLUMNS = 50
local NARROW, WIDE = 15, 30
local LEAST_WIDTH = 5

local resized ---@type integer? the width the user gave the sidebar
local laid_out = {} ---@type table<integer, integer> the width that a sidebar's window got from here

local before = {} ---@type table<integer, integer> the buffer that stood in a window
local hidden = {} ---@type table<integer, boolean> tab pages whose sidebar was hidden, or shown, by a key
local narrowed = {} ---@type table<integer, boolean> tab pages whose sidebar gave way to a narrow screen
local opened = false

---@param buffer integer
---@return boolean
local function is_main(buffer)
  -- Nothing can be in a reader that was not loaded yet.
  local readers = package.loaded['himalaya.ui.reader']
  return lists.of(buffer) ~= nil or (readers and readers.of(buffer) ~= nil) or false
end

---@param wanted fun(buffer: integer): boolean
---@return integer? window of this tab page, the current one first
local function find(wanted)
  local windows = vim.api.nvim_tabpage_list_wins(0)
  table.insert(windows, 1, vim.api.nvim_get_current_win())
  for _, window in ipairs(windows) do
    if wanted(vim.api.nvim_win_get_buf(window)) then
      return window
    end
  end
end

-- Whether a window can be closed without the tab page; floats do not count.
---@return boolean
local function more_than_one()
  local count = 0
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    count = count + (vim.api.nvim_win_get_config(window).relative == '' and 1 or 0)
  end
  return count > 1
end

---@return integer
local function sidebar_width()
  local wanted = config.get().ui.sidebar.width
  if resized then
    return resized
  elseif wanted >= 1 then
    return math.max(LEAST_WIDTH, math.min(math.floor(wanted), vim.o.columns - 2 * LEAST_WIDTH))
  elseif wanted > 0 then
    return math.max(LEAST_WIDTH, math.floor(vim.o.columns * wanted))
  end
  return math.max(NARROW, math.min(WIDE, math.floor(vim.o.columns * 0.25)))
end

---@param window integer
local function give_width(window)
  laid_out[window] = sidebar_width()
  vim.api.nvim_win_set_width(window, laid_out[window])
end

-- The window that mail is shown in; a float or a window that keeps its buffer is left alone.
---@return integer
local function main_window()
  local window = find(is_main)
  if window then
    return window
  end
  window = vim.api.nvim_get_current_win()
  local fixed = vim.fn.exists('+winfixbuf') == 1 and vim.wo[window].winfixbuf
  if
    vim.api.nvim_win_get_config(window).relative ~= ''
    or fixed
    or sidebar.is(vim.api.nvim_win_get_buf(window))
  then
    local beside = sidebar.is(vim.api.nvim_win_get_buf(window)) and window or nil
    vim.cmd(beside and config.get().ui.sidebar.side == 'right' and 'topleft vsplit' or 'botright vsplit')
    window = vim.api.nvim_get_current_win()
    if beside then
      -- Alone it had all of the screen; that is no width the user gave it.
      vim.wo[window].winfixwidth = false
      give_width(beside)
    end
  else
    before[window] = vim.api.nvim_win_get_buf(window)
  end
  return window
end

local function open_sidebar()
  if find(sidebar.is) or vim.o.columns < LEAST_COLUMNS then
    return
  end
  local buffer = sidebar.buffer()
  local window = vim.api.nvim_open_win(buffer, false, {
    split = config.get().ui.sidebar.side,
    win = -1,
  })
  give_width(window)
  vim.wo[window].winfixwidth = true
  sidebar.paint()
end

-- Its width is kept for the next time, where the user changed it.
---@param window integer
local function close_sidebar(window)
  local width = vim.api.nvim_win_get_width(window)
  resized = width ~= laid_out[window] and width or resized
  laid_out[window] = nil
  vim.api.nvim_win_close(window, true)
end

-- A screen that became too narrow for both is the list's; the sidebar comes back when there is room again. One whose
-- width nobody changed has its share of any other screen.
local function fit_sidebar()
  local tab, window = vim.api.nvim_get_current_tabpage(), find(sidebar.is)
  if vim.o.columns < LEAST_COLUMNS then
    local main = find(is_main)
    if window and main then
      narrowed[tab] = true
      vim.api.nvim_win_close(window, true)
      vim.api.nvim_set_current_win(main)
    end
  elseif narrowed[tab] then
    narrowed[tab] = nil
    if find(is_main) then
      open_sidebar()
    end
  elseif window and find(is_main) and vim.api.nvim_win_get_width(window) == laid_out[window] then
    give_width(window)
  end
end

--- Shows the sidebar of this tab page, or hides it.
function M.toggle_sidebar()
  local window = find(sidebar.is)
  if not window and vim.o.columns < LEAST_COLUMNS then
    notify.action(('The sidebar needs a screen of %d columns.'):format(LEAST_COLUMNS))
    return
  end
  hidden[vim.api.nvim_get_current_tabpage()] = window ~= nil
  if not window then
    open_sidebar()
    sidebar.refresh()
  elseif more_than_one() then
    close_sidebar(window)
  end
end

-- Push, the clock, and whatever else begins with the first look at mail.
local function begin()
  if opened then
    return
  end
  opened = true
  require('himalaya.ui.announce').start()
  local options = config.get()
  if options.async.enabled and options.sync.auto then
    require('himalaya.sync.manager').start_auto_sync()
  end
  local group = vim.api.nvim_create_augroup('himalaya.screen', { clear = true })
  vim.api.nvim_create_autocmd({ 'VimResized', 'TabEnter' }, {
    group = group,
    desc = 'himalaya: give a narrow screen to the list',
    callback = fit_sidebar,
  })
  vim.api.nvim_create_autocmd({ 'VimResized', 'WinResized' }, {
    group = group,
    desc = 'himalaya: lay out again',
    callback = function()
      lists.repaint()
      sidebar.paint()
    end,
  })
end

--- Shows the list of a folder, with the sidebar beside it.
---@param account string
---@param folder string
function M.show(account, folder)
  local window = main_window()
  local buffer = lists.buffer(account, folder)
  local comes_back = vim.api.nvim_win_get_buf(window) ~= buffer
  vim.api.nvim_set_current_win(window)
  vim.api.nvim_win_set_buf(window, buffer)
  local hide = hidden[vim.api.nvim_get_current_tabpage()]
  if hide == nil then
    hide = not config.get().ui.sidebar.open
  end
  if not hide then
    open_sidebar()
  end
  sidebar.set_current(account, folder)
  lists.repaint()
  local list = lists.of(buffer)
  if list and comes_back then
    list:settle(window)
  end
  vim.schedule(function()
    begin()
    -- The list comes first, the other accounts' stores after it.
    sidebar.complete()
  end)
end

--- The inbox of an account, by its role where that is known.
---@param account string
---@return string
function M.inbox(account)
  for _, folder in ipairs(sidebar.folders(account) or {}) do
    if folder.role == 'inbox' then
      return folder.path
    end
  end
  return 'INBOX'
end

-- As an argument of :Himalaya, whose blanks at both ends are no part of it unless they are escaped.
---@param name string
---@return string
local function escaped(name)
  return (name:gsub(' ', '\\ '))
end

---@param args string
---@return string
local function unescaped(args)
  local words = vim.trim(args)
  if words:sub(-1) == '\\' and args:find('\\ %s*$') then
    words = words .. ' '
  end
  return (words:gsub('\\ ', ' '))
end

--- Takes `[account/][folder]` apart.
---@param words string
---@return string? account
---@return string? folder
function M.parse(words)
  local first, rest = words:match('^([^/]+)/?(.*)$')
  if first and config.account(first) then
    return first, rest ~= '' and rest or nil
  end
  return (M.here()) or config.get().default_account, words ~= '' and words or nil
end

--- The account and the folder that are shown here.
---@return string? account
---@return string? folder
function M.here()
  local window = find(is_main)
  if not window then
    return nil
  end
  local buffer = vim.api.nvim_win_get_buf(window)
  local shown = lists.of(buffer) or require('himalaya.ui.reader').of(buffer)
  return shown.account, shown.folder
end

--- :Himalaya
---@param given { args: string }
function M.open(given)
  if not config.get().default_account then
    notify.warn('There is no account yet: see :help himalaya-setup.', { asked = true })
    return
  end
  -- What cannot be loaded is said before a window is touched.
  require('himalaya.native')
  local account, folder = M.parse(unescaped(given.args or ''))
  local shown, shown_folder = M.here()
  if not folder and shown == account then
    folder = shown_folder
  end
  M.show(account, folder or M.inbox(account))
end

--- What :Himalaya completes: accounts, and the folders of those that are known. Blanks are escaped, as in the names of
--- files: else one at the end of a name would be lost.
---@param lead string
---@return string[]
function M.complete(lead)
  local words = {}
  for _, name in ipairs(config.account_names()) do
    words[#words + 1] = name .. '/'
    for _, folder in ipairs(sidebar.folders(name) or {}) do
      words[#words + 1] = escaped(name .. '/' .. folder.path)
    end
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, words)
end

-- What cannot be shown is said in the buffer's own place: a session that brings many of them goes on.
---@param buffer integer
---@param problem string
local function say_instead(buffer, problem)
  vim.bo[buffer].buftype = 'nowrite'
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split('! ' .. problem, '\n'))
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].modified = false
end

--- Fills a buffer that bears an address: :edit, a mark, a session.
---@param buffer integer
function M.read(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  if name == sidebar.NAME then
    sidebar.attach(buffer)
    vim.schedule(sidebar.refresh)
    return
  end
  local place, problem = address.decode(name)
  if not place then
    say_instead(buffer, problem --[[@as string]])
    return
  end
  local ok, why = pcall(require, 'himalaya.native')
  if not ok then
    local reason = tostring(why):gsub('^[^\n]-%.lua:%d+: ', ''):gsub('^himalaya: ', '')
    say_instead(buffer, reason)
    return
  end
  vim.schedule(begin)
  if place.key then
    require('himalaya.ui.reader').attach(buffer, place.account, place.folder --[[@as string]], place.key)
  else
    lists.attach(buffer, place.account, place.folder or M.inbox(place.account))
  end
end

--- Closes the sidebar and puts back what the other window showed.
function M.close()
  local main = find(is_main)
  local side = find(sidebar.is)
  if side and more_than_one() then
    close_sidebar(side)
  end
  require('himalaya.ui.preview').forget()
  hidden[vim.api.nvim_get_current_tabpage()] = nil
  narrowed[vim.api.nvim_get_current_tabpage()] = nil
  if not main or not vim.api.nvim_win_is_valid(main) then
    return
  end
  local last = before[main]
  before[main] = nil
  if last and vim.api.nvim_buf_is_valid(last) then
    vim.api.nvim_win_set_buf(main, last)
  elseif more_than_one() then
    vim.api.nvim_win_close(main, true)
  else
    vim.api.nvim_win_call(main, vim.cmd.enew)
  end
end

function M.focus_sidebar()
  local window = find(sidebar.is)
  if window then
    vim.api.nvim_set_current_win(window)
  end
end

function M.focus_list()
  local window = find(is_main)
  if window then
    vim.api.nvim_set_current_win(window)
  end
end

--- What the keys do that all views have; `here` gives the account and folder they are about.
---@param here fun(): string, string?
---@return table<string, fun()>
function M.handlers(here)
  local commands = require('himalaya.ui.commands')
  return {
    close = M.close,
    sync_inbox = function()
      commands.sync('inbox', { (here()) })
    end,
    sync_all = function()
      commands.sync('full')
    end,
    folder = function()
      commands.folder((here()))
    end,
    account = commands.accounts,
    sidebar = M.toggle_sidebar,
    sync_info = commands.sync_info,
  }
end

return M
