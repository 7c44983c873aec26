-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '9cbaf383501870ba'
