-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '3aca64d5651c3cbf'
