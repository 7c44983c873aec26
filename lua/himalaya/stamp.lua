-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'dfca0770d6005c6b'
