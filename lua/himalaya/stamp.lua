-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'bc1562e9e5fefd0e'
