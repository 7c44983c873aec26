-- `sections = { lualine_x = { 'himalaya' } }`: the text of himalaya.statusline() as a component of lualine.

local component = require('lualine.component'):extend()

function component.update_status()
  return require('himalaya').statusline()
end

return component
