-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'e41f3d1c9270e645'
