-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '4c98a8ea3f766b59'
