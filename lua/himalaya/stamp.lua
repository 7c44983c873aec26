-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '57abf5272e3040c0'
