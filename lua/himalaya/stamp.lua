-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '8767c486d1caa730'
