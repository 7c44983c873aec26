-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '8472511af8980f2f'
