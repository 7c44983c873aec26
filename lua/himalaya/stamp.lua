-- Which C++ sources the Lua here belongs to; written by scripts/stamp.
return 'a6c513f760a7dae1'
