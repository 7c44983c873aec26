-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'c7417b0c444b5eab'
