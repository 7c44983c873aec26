-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '89022cc5059d0cf8'
