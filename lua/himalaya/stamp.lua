-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '6273fbcc84d12758'
