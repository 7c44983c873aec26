-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'f06f3992547388da'
