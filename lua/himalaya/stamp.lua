-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '0bb89d4cf133e469'
