-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'a5e0aa3ec75af2b3'
