-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'be69768c046601e8'
