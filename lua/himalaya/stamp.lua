-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'fa820a29dba3d471'
