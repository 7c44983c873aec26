-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '9b8913bf2d915181'
