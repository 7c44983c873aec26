-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '27024cdc2ad81ea7'
