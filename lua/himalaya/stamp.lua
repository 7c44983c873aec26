-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '15c0781cfd5af048'
