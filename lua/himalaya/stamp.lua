-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '1484274f40420214'
