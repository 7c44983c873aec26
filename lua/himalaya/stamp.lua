-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'b0fc889b48ee5647'
