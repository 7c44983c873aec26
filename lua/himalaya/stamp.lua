-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'bc8dc41a2b622242'
