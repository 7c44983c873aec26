-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '24dec9be55ceb1c1'
