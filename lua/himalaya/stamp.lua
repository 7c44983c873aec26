-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'c5b3a3eef3814d4e'
