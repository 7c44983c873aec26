-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'd0e1d883cb95be09'
