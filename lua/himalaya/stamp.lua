-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'fde69def63fc0787'
