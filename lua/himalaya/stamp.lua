-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ba80f08daec654c2'
