-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '0e92a3a8949e07ad'
