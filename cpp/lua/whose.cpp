#include "lua/whose.hpp"

#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "lua/runtime.hpp"

namespace himalaya::lua {

namespace {

constexpr std::string_view OURS = "/lua/himalaya/";

std::string shortened(const char* source, int line) {
    std::string_view name = source;
    if (auto at = name.rfind(OURS); at != std::string_view::npos)
        name.remove_prefix(at + 1);
    return fmt::format("{}:{}", name, line);
}

void note(Runtime& runtime, const Whose& function, std::uint64_t ns) {
    runtime.loop().budget().note(function.place(), ns);
}

} // namespace

std::string Whose::place() const {
    return shortened(source, line);
}

Whose whose(lua_State* L, int index) {
    lua_Debug info{};
    lua_pushvalue(L, index);
    if (lua_getinfo(L, ">S", &info) == 0 || !info.source)
        return {};
    return {*info.source == '@' && std::strstr(info.source, OURS.data()), info.source, info.linedefined};
}

std::string running(lua_State* L) {
    lua_Debug function{};
    lua_Debug caller{};
    const char* name = nullptr;
    if (lua_getstack(L, 0, &function) && lua_getinfo(L, "n", &function))
        name = function.name;
    if (lua_getstack(L, 1, &caller) && lua_getinfo(L, "Sl", &caller) && caller.source)
        return fmt::format("{} called at {}", name ? name : "?",
                           shortened(caller.source, caller.currentline));
    return name ? name : "?";
}

// Nothing in this frame is to be destroyed: what fn raises passes through it.
int tell(lua_State* L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    Runtime* runtime = Runtime::current();
    Whose function = whose(L, 1);
    lua_pushvalue(L, 1); // so that it, and the name of its file, live until it has been told of
    lua_insert(L, 1);
    loop::Budget::Place place;
    if (runtime && !function.ours)
        place = runtime->loop().budget().leave();
    std::uint64_t began = loop::thread_cpu_ns();
    lua_call(L, lua_gettop(L) - 2, 0);
    if (!Runtime::current())
        return 0;
    if (!function.ours)
        runtime->loop().budget().back(place);
    else if (std::uint64_t took = loop::thread_cpu_ns() - began; took > static_cast<std::uint64_t>(NAMED_NS))
        note(*runtime, function, took);
    return 0;
}

} // namespace himalaya::lua
