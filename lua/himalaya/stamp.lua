-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '9d83fe0bfdca93d5'
