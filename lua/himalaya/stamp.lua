-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '66cac7a0d0781f7e'
