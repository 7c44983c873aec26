-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '438406c733d33304'
