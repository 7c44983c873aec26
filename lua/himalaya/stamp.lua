-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '31db20c75205d742'
