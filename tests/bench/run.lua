-- Runs the benches that scripts/bench names and prints their figures as one table.
--
-- A bench is tests/bench/NAME_bench.lua and returns
--   { about = 'one line', figures = { { name =, asked =, how = }, ... }, run = function(tools, report) end }
-- where run calls report(name, { measured = 'text', peer = 'text or nil', met = boolean, value = number,
-- peer_value = number, detail = any }) once for every figure. What the figures promise is said before anything is
-- measured, so that --help is complete and a figure nobody reported is seen to be missing. A figure with a `row` is
-- left out when scripts/bench was told other rows.
local root = vim.env.HIMALAYA_ROOT
package.path = root .. '/?.lua;' .. package.path
vim.opt.runtimepath:prepend(root)

local tools = require('tests.bench.tools')
local what = arg[1]
local names = vim.list_slice(arg, 2)

local function load_bench(name)
  local bench = assert(loadfile(('%s/tests/bench/%s_bench.lua'):format(root, name)))()
  assert(bench.about and bench.figures and bench.run, name .. ' needs about, figures and run')
  return bench
end

local function help()
  for _, name in ipairs(names) do
    local bench = load_bench(name)
    io.write(('\n%s: %s\n'):format(name, bench.about))
    for _, figure in ipairs(bench.figures) do
      local of_row = figure.row and (' [--row %s]'):format(figure.row) or ''
      io.write(('  %s (asked: %s)%s\n'):format(figure.name, figure.asked, of_row))
      for line in (figure.how .. '\n'):gmatch('%s*(.-)\n') do
        io.write('      ', line, '\n')
      end
    end
  end
end

--- Measures one bench; its figures with their results, in the order they were promised.
local function measure(name)
  local bench = load_bench(name)
  local results = {}
  io.stderr:write(('measuring %s ...\n'):format(name))
  local ok, problem = xpcall(bench.run, debug.traceback, tools, function(figure, result)
    assert(result.measured and result.met ~= nil, figure .. ': measured and met are needed')
    results[figure] = result
  end)
  tools.clean_up()
  if not ok then
    io.stderr:write(('%s failed: %s\n'):format(name, problem))
  end
  local figures = {}
  for _, figure in ipairs(bench.figures) do
    if not figure.row or tools.wants(figure.row) then
      local result = results[figure.name] or { measured = 'not measured', met = false }
      figures[#figures + 1] = vim.tbl_extend('force', { bench = name }, figure, result)
    end
    results[figure.name] = nil
  end
  assert(
    next(results) == nil,
    ('%s reports %s, which it did not promise'):format(name, tostring(next(results)))
  )
  return figures
end

local function print_table(figures)
  local function cell(text)
    return (tostring(text or ''):gsub('|', '\\|'))
  end
  io.write('| figure | asked | measured | peer |\n|---|---|---|---|\n')
  for _, figure in ipairs(figures) do
    local measured = cell(figure.measured) .. (figure.met and '' or ' **(missed)**')
    io.write(
      ('| %s | %s | %s | %s |\n'):format(cell(figure.name), cell(figure.asked), measured, cell(figure.peer))
    )
  end
end

if what == 'help' then
  help()
  os.exit(0)
end

local figures = {}
for _, name in ipairs(names) do
  vim.list_extend(figures, measure(name))
end
local machine = tools.machine()
print_table(figures)
io.write(('\n%s; medians of %d runs\n'):format(machine.text, tools.runs))
local json = vim.env.HIMALAYA_BENCH_JSON or ''
if json ~= '' then
  local file = assert(io.open(json, 'w'))
  file:write(vim.json.encode({ machine = machine, runs = tools.runs, figures = figures }), '\n')
  file:close()
end
local met = true
for _, figure in ipairs(figures) do
  met = met and figure.met
end
os.exit(met and 0 or 1)
