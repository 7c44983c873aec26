-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '3d153c7cf98558aa'
