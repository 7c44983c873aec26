-- The init.lua of scripts/try: a handful of jobs to look at, then the screen, or its text when there is no terminal.
local headless = vim.env.HIMALAYA_TRY == 'headless'

local function fail(problem)
  io.stderr:write(tostring(problem), '\n')
  vim.cmd('cquit 1')
end

local function start_jobs(on_done)
  local jobs = require('himalaya.core.async_commands')
  local programs = {
    { { 'sh', '-c', 'sleep 0.2; echo hello' }, 'user' },
    { { 'date' }, 'ui' },
    { { 'sh', '-c', 'sleep 0.4; exit 3' }, 'ui' },
    { { 'sleep', headless and '0.3' or '60' }, 'background' },
    { { 'sleep', headless and '0.3' or '90' }, 'background' },
    { { 'sleep', headless and '0.3' or '120' }, 'background' },
  }
  local left = #programs
  for _, program in ipairs(programs) do
    jobs.queue_command(program[1], {}, function()
      left = left - 1
      if left == 0 then
        on_done()
      end
    end, program[2])
  end
end

local function print_buffer(title)
  io.stdout:write('\n== ', title, '\n')
  for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    io.stdout:write(line, '\n')
  end
end

local function print_all()
  vim.cmd('HimalayaJobs')
  -- The float fills itself on the loop's next turns.
  vim.wait(2000, function()
    return vim.api.nvim_buf_line_count(0) > 3
  end, 10)
  print_buffer(':HimalayaJobs')
  vim.cmd('checkhealth himalaya')
  vim.wait(2000, function()
    return vim.bo.filetype == 'checkhealth' and vim.api.nvim_buf_line_count(0) > 3
  end, 10)
  print_buffer(':checkhealth himalaya')
  io.stdout:write('\n')
  vim.cmd('qa!')
end

vim.api.nvim_create_autocmd('VimEnter', {
  callback = vim.schedule_wrap(function()
    local ok, problem = pcall(function()
      require('himalaya').setup({})
      if headless then
        start_jobs(vim.schedule_wrap(function()
          local printed, why = pcall(print_all)
          if not printed then
            fail(why)
          end
        end))
      else
        vim.cmd('checkhealth himalaya')
        start_jobs(function() end)
        vim.cmd('HimalayaJobs')
        vim.notify('The job queue of himalaya.nvim; mail comes next. :qa leaves.')
      end
    end)
    if not ok then
      fail(problem)
    end
  end),
})
