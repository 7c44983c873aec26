-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '51cf332479b1b31d'
