-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'a7db27ed3511395a'
