-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '5698ab473e58ddec'
