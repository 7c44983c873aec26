-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'e68d71a96c1735e1'
