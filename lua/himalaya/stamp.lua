-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'bf9bfb0245f3f1fd'
