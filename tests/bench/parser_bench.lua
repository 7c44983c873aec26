-- The IMAP parser alone: no socket, no Lua tables, only bytes in and typed results out.
local REPLIES = '50,000 ENVELOPE + BODYSTRUCTURE replies'
local BODIES = 'bodies of 4 KB to a sink'

local figures = {
  {
    name = REPLIES,
    asked = '150 MB/s or more',
    how = 'build/tests/parser_bench: replies of 0.9 KB in chunks of 64 KiB, no literal over 100 bytes, every\n'
      .. 'typed result built and its fields for a list looked at. One warm-up, then the median of the runs.',
  },
  {
    name = BODIES,
    asked = '1000 MB/s or more',
    how = 'build/tests/parser_bench --bodies: 16,000 FETCH replies with a body literal each, counted by a sink.',
  },
}

local function measure(tools, arguments)
  local argv = { tools.program('parser_bench'), '--json', '--runs', tostring(tools.runs) }
  return vim.json.decode(tools.run(vim.list_extend(argv, arguments)))
end

local function run(tools, report)
  local function tell(name, result, least)
    report(name, {
      measured = ('%.0f MB/s'):format(result.mb_per_s),
      met = result.mb_per_s >= least,
      value = result.mb_per_s,
      detail = result,
    })
  end
  tell(REPLIES, measure(tools, {}), 150)
  tell(BODIES, measure(tools, { '--bodies' }), 1000)
end

return { about = 'the IMAP parser alone', figures = figures, run = run }
