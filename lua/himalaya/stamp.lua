-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '23801b52756bd723'
