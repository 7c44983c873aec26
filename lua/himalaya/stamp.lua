-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'f1f4d95b046a974b'
