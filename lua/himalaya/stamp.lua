-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ba00ca615b6a0010'
