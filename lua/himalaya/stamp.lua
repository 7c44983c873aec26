-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '61f4c67ca2daac57'
