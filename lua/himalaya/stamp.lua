-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '146a2c76c7715dce'
