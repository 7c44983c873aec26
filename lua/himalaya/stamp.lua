-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '73af3037ff3329c7'
