-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '3896b632722bce8b'
