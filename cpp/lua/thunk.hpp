// The border between Lua and C++. A Lua error unwinds by jumping and a C++ exception by unwinding; neither may cross
// into the other's frames. So a body in C++ only reads with calls that cannot raise, throws what it has against its
// arguments, and gives back how many results it has pushed; the thunk around it, a frame without anything to destroy,
// raises last.
//
//     int cancel(lua_State* L, Runtime& runtime) { ...; lua_pushboolean(L, true); return 1; }
//     set_function<cancel>(L, "cancel");
#pragma once

#include <string>
#include <string_view>

#include "lua/lua.hpp"

namespace himalaya::lua {

class Runtime;

// What a caller did wrong: raised in Lua, where it was called from.
struct BadArgument {
    std::string message;
};
[[noreturn]] void bad_argument(std::string_view name, std::string_view problem);

using Body = int (*)(lua_State*, Runtime&);

// Runs a body in a slice of the budget. Negative when an error message lies on the stack instead of results.
int run_body(lua_State* L, Body body) noexcept;

template<Body body>
int thunk(lua_State* L) {
    int results = run_body(L, body);
    return results < 0 ? lua_error(L) : results;
}

// Puts a function into the table on top of the stack.
template<Body body>
void set_function(lua_State* L, const char* name) {
    lua_pushcclosure(L, thunk<body>, 0);
    lua_setfield(L, -2, name);
}

} // namespace himalaya::lua
