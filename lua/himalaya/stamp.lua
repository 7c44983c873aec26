-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'f6cd6dccd56b8eea'
