-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '9cb8073a4fb03f6e'
