-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '975a85d66c2c7229'
