-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '2e8b8883470a49c3'
