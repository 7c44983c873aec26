-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '3fb448609edd5ca5'
