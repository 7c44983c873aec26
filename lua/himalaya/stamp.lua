-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'c16c4e27cc028b7a'
