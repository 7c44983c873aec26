-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'e11bbe9655dbd20d'
