-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'cce4dbe9c417f00f'
