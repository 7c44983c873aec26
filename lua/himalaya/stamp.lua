-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '20e7c53e0ce058f8'
