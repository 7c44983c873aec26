-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '08d2947945983b0d'
