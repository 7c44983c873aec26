-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '69b3d0ed756e20aa'
