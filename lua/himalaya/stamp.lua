-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '3131cf32ed6b41dd'
