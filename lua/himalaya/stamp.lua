-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '1670a8f53489acd3'
