-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '4d88831f81d7a5a7'
