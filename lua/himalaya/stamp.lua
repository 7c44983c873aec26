-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'd930b6622538b28c'
