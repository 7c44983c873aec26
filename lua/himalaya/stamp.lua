-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '3676fb2312b2d1d4'
