-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '71799c397e070c78'
