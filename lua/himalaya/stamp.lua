-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'b34f28a7cfa80bae'
