-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '799642a551d571c8'
