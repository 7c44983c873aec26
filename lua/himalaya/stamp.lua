-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'da6e7a27cbbb3e99'
