// Every area of the native module: one file each, one table each. A new area adds its line here and to module.cpp.
#pragma once

#include "lua/lua.hpp"

namespace himalaya::lua {

class Runtime;

// The sources the module was built from.
const char* stamp();

// Each adds its table to the module's, which lies on top of the stack.
void open_imap(lua_State* L, Runtime& runtime);
void open_jobs(lua_State* L, Runtime& runtime);
void open_loop(lua_State* L, Runtime& runtime);
void open_mail(lua_State* L, Runtime& runtime);
void open_log(lua_State* L, Runtime& runtime);
void open_versions(lua_State* L, Runtime& runtime);

} // namespace himalaya::lua
