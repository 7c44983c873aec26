-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ee7cf66134c1f610'
