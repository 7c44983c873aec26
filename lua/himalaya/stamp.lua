-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'a126b0100ba9677b'
