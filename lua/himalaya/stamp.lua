-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '84687b58dd64f6d9'
