-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'd017b8d348798776'
