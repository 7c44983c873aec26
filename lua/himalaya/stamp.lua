-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '60c36415d6cdbc73'
