-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'edc13eda664f5683'
