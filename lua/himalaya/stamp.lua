-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'b8bac83d022546b3'
