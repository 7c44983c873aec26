-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'abe5977883138334'
