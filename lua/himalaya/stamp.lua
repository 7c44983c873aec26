-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'e3480f5b2e1fc0cc'
