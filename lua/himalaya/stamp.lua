-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ba4ff85ba2274baa'
