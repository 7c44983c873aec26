-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '2bfa0081abe36327'
