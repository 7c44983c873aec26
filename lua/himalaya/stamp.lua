-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'a4d69a268d0837bf'
