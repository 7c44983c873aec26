-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '6af1e5ed9b31c09c'
