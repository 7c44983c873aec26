-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '6230c2018bc6c4c4'
