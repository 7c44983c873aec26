-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'cc20b561916ce48b'
