-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '0baa8595017404f1'
