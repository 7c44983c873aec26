-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '67cec97ca22f9848'
