-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'a3714ad5b2a5527a'
