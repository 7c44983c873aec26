-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'd80c49cbcc182d34'
