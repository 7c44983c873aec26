-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'de73384490e0d574'
