-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '07b5bb78b990fbf2'
