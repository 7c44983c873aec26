-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '6d6bec9684b43004'
