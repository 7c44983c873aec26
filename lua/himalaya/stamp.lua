-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '8037529c14511066'
