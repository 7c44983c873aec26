-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '7ee99e6125b72695'
