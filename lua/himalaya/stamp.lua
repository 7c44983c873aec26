-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'f9c25c23754315a9'
