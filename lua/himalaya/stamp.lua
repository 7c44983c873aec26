-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '2b53001cb1bd2883'
