-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ae68e8c6fab1efd1'
