-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'fd3d2764b076276d'
