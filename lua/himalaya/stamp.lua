-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '983437ec15959378'
