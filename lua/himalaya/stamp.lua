-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'c4afa2614fc8e301'
