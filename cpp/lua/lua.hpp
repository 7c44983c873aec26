// Lua's C interface, included by this room alone. The host resolves the symbols: nothing here links a Lua.
#pragma once

extern "C" {
#include <lauxlib.h>
#include <lua.h>
}
