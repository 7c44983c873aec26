-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ad16f81ed894c88a'
