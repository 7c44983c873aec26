-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '2c598640546e4eb8'
