-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '7258917519abd16e'
