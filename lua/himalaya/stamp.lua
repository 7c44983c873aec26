-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '5710edb44686062a'
