-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ff69914d71c85393'
