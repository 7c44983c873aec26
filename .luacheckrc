-- Neovim's Lua is LuaJIT with one global of its own.
std = 'luajit'
globals = { 'vim' }
max_line_length = 120
-- A callback takes the arguments it is given, used or not.
unused_args = false
files['tests/**/*.lua'] = { std = 'luajit+busted' }
