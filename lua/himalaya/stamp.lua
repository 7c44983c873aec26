-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'cb134aaef1c59aba'
