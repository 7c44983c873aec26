-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '15684f38b1fb4f3f'
