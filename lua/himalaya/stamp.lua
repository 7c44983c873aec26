-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'f91427672665202f'
