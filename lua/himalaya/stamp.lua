-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'e942ed84ebeb7e21'
