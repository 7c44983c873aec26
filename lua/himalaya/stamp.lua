-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '32b9ea15c0735ba4'
