-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'b73c0d675dcc09ea'
