-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '9c723d80c5effa63'
