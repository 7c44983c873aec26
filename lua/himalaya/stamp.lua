-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '105425cdf60e1c8c'
