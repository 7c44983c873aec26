// native.loop: what the loop has cost, and the queue into Lua.
#include "lua/areas.hpp"
#include "lua/runtime.hpp"

namespace himalaya::lua {

namespace {

double in_ms(std::uint64_t nanoseconds) {
    return static_cast<double>(nanoseconds) / 1e6;
}

// metrics() -> { longest_turn_ms, turns_over_2ms, turns, busy_turns, p50_ms, p99_ms, by_room, waiting, delivered }
int metrics(lua_State* L, Runtime& runtime) {
    const loop::Budget& budget = runtime.loop().budget();
    lua_createtable(L, 0, 10);
    set(L, "longest_turn_ms", in_ms(budget.longest_ns()));
    set(L, "turns_over_2ms", budget.turns_over());
    set(L, "turns", budget.turns());
    set(L, "busy_turns", budget.histogram().count());
    set(L, "p50_ms", static_cast<double>(budget.histogram().p50()) / 1000);
    set(L, "p99_ms", static_cast<double>(budget.histogram().p99()) / 1000);
    set(L, "waiting", static_cast<std::uint64_t>(runtime.events().size()));
    set(L, "delivered", runtime.events().delivered());
    lua_newtable(L);
    for (const loop::Budget::Room& room : budget.rooms()) {
        if (!room.name)
            break;
        lua_createtable(L, 0, 3);
        set(L, "total_ms", in_ms(room.total_ns));
        set(L, "longest_ms", in_ms(room.longest_ns));
        set(L, "slices", room.slices);
        lua_setfield(L, -2, room.name);
    }
    lua_setfield(L, -2, "by_room");
    return 1;
}

int reset_metrics(lua_State*, Runtime& runtime) {
    runtime.loop().budget().reset_figures();
    return 0;
}

// complete(callback, ...): the callback through the queue with what follows, as completions from C++ come.
int complete(lua_State* L, Runtime& runtime) {
    Ref callback = check_function(L, 1, "callback");
    int count = lua_gettop(L) - 1;
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; ++i) {
        lua_pushvalue(L, i + 1);
        lua_rawseti(L, -2, i);
    }
    runtime.events().call(std::move(callback), [kept = Ref::pop(L), count](lua_State* to) {
        kept.push(to);
        int table = lua_gettop(to);
        for (int i = 1; i <= count; ++i)
            lua_rawgeti(to, table, i);
        lua_remove(to, table);
        return count;
    });
    return 0;
}

} // namespace

void open_loop(lua_State* L, Runtime&) {
    lua_newtable(L);
    set_function<metrics>(L, "metrics");
    set_function<reset_metrics>(L, "reset_metrics");
    set_function<complete>(L, "complete");
    lua_setfield(L, -2, "loop");
}

} // namespace himalaya::lua
