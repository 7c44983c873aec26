// Whose function it is that we call, ours or one that a user or another plugin gave us, and how a part of ours is
// called in the figures of a long turn.
#pragma once

#include <string>

#include "loop/budget.hpp"
#include "lua/lua.hpp"

namespace himalaya::lua {

// Functions of lua/himalaya/ are ours, by the file they stand in; C functions and all others are not.
struct Whose {
    bool ours = false;
    const char* source = ""; // as long as the function lives
    int line = 0;

    bool same(const Whose& other) const { return line == other.line && source == other.source; }

    // "lua/himalaya/ui/page.lua:211"
    std::string place() const;
};
Whose whose(lua_State* L, int index);

// Shorter parts of a turn are not named.
inline constexpr std::int64_t NAMED_NS = 1'000'000;

// So little that timing it would be a good part of it.
inline constexpr std::int64_t BRIEF_NS = 20'000;

// "read called at lua/himalaya/ui/page.lua:211": the C function that is running.
std::string running(lua_State* L);

// tell(fn, ...): fn(...), its time not counted as ours when it is none of ours. What fn gives back is lost.
int tell(lua_State* L);

} // namespace himalaya::lua
