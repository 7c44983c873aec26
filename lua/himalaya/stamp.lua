-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '5103e324f3db15de'
