-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '6bc8032bec5caf18'
