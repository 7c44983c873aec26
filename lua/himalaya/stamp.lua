-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '4caeaf9300b6d73f'
