-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '0a94eff4a6349e49'
