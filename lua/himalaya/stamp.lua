-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '1761b53549ac530e'
