-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'eb469e2f39f76c62'
