-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return '1b608eb10882295f'
