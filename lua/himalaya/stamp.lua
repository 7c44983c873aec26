-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '903c668af5e986ea'
