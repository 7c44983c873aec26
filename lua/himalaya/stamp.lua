-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '71587a60d7f093a9'
