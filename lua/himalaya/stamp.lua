-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '28f40a5d41672d4a'
