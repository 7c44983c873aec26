-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '4e74d1c027bd781e'
