-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '09851b742e81f818'
