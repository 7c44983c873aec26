-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'd3722a6ae3b64d72'
