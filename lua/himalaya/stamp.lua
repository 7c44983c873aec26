-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '3c0e4687c300758a'
