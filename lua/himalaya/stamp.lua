-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '95fef00e6874c44b'
