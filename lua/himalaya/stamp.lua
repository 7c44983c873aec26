-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '9488ae0a7469ae14'
