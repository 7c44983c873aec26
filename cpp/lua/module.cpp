// The two doors of the module, and the only symbols it shows. lua/himalaya/native.lua opens the first to ask what
// sources this was built from, before it lets the second touch the loop.
#include "lua/areas.hpp"
#include "lua/runtime.hpp"
#include "stamp.hpp"

namespace himalaya::lua {

namespace {

Ref* g_module = nullptr;

int stop(lua_State*, Runtime& runtime) {
    runtime.stop();
    return 0;
}

// metrics() -> one plain table of everything counted, a part for each area
int metrics(lua_State* L, Runtime& runtime) {
    runtime.push_metrics(L);
    return 1;
}

int open_module(lua_State* L) noexcept {
    try {
        Runtime& runtime = Runtime::open(L, 1);
        // Required again after package.loaded was cleared: the same module.
        if (g_module) {
            g_module->push(L);
            return 1;
        }
        lua_newtable(L);
        set(L, "stamp", HIMALAYA_STAMP);
        set(L, "path", runtime.build_dir() + "/himalaya_native.so");
        set_function<stop>(L, "stop");
        set_function<metrics>(L, "metrics");
        open_imap(L, runtime);
        open_loop(L, runtime);
        open_jobs(L, runtime);
        open_log(L, runtime);
        open_mail(L, runtime);
        open_versions(L, runtime);
        g_module = new Ref(Ref::of(L, -1));
        return 1;
    } catch (const BadArgument& bad) {
        push(L, bad.message);
    } catch (...) {
        push(L, loop::current_error().message);
    }
    return -1;
}

} // namespace

const char* stamp() {
    return HIMALAYA_STAMP;
}

} // namespace himalaya::lua

#define HIMALAYA_EXPORT extern "C" __attribute__((visibility("default")))

HIMALAYA_EXPORT int luaopen_himalaya_stamp(lua_State* L) {
    lua_pushstring(L, HIMALAYA_STAMP);
    return 1;
}

HIMALAYA_EXPORT int luaopen_himalaya_native(lua_State* L) {
    int results = himalaya::lua::open_module(L);
    return results < 0 ? lua_error(L) : results;
}
