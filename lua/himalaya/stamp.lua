-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'b04ce5de43016563'
