-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '424a1b4f04ddb9fa'
