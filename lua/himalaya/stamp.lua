-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '8f081e3df3157eff'
