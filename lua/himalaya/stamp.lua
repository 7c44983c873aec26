-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '890fa3593425af51'
