-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '790e8ab492daed8c'
