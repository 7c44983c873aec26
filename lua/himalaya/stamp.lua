-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'c2f4bd2e18f319f1'
