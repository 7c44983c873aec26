-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '58141b7b07ca1e78'
