-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '064d1bec4cf795de'
