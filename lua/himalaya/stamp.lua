-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'ebc51bd343faa668'
