-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'd16af60adeeb3509'
