-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '2a6b5dd1fa1bbb0d'
