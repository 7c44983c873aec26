// native.loop: what the loop has cost, and the queue into Lua.
#include <new>

#include "lua/areas.hpp"
#include "lua/runtime.hpp"
#include "lua/whose.hpp"

namespace himalaya::lua {

namespace {

double in_ms(std::uint64_t nanoseconds) {
    return static_cast<double>(nanoseconds) / 1e6;
}

// A part of native.metrics(), and native.loop.metrics() alone:
// { longest_turn_ms, turns_over_2ms, turns, busy_turns, p50_ms, p99_ms, by_room, waiting, delivered,
//   longest = { room, what?, what_ms? } }; the room `theirs` is callbacks of users, which are in no other figure
void push_figures(lua_State* L, Runtime& runtime) {
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
    const loop::Budget::Longest& longest = budget.longest();
    lua_createtable(L, 0, 3);
    if (longest.room)
        set(L, "room", longest.room);
    if (!longest.what.empty()) {
        set(L, "what", longest.what);
        set(L, "what_ms", in_ms(longest.what_ns));
    }
    lua_setfield(L, -2, "longest");
}

int metrics(lua_State* L, Runtime& runtime) {
    push_figures(L, runtime);
    return 1;
}

int reset_metrics(lua_State*, Runtime& runtime) {
    runtime.loop().budget().reset_figures();
    return 0;
}

// enter(fn): fn() as a part of ours, counted in the turn like every callback; for what Neovim calls by itself, timers
// and autocommands
int enter(lua_State* L, Runtime&) {
    lua_settop(L, 1);
    check_function(L, 1, "fn");
    if (lua_pcall(L, 0, 0, 0) != 0) {
        const char* text = lua_tostring(L, -1);
        throw BadArgument{text ? text : "an error that is no text"};
    }
    return 0;
}

// What follows the first `skipped` arguments, kept to be pushed later.
Arguments keep_arguments(lua_State* L, int skipped) {
    int count = lua_gettop(L) - skipped;
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; ++i) {
        lua_pushvalue(L, i + skipped);
        lua_rawseti(L, -2, i);
    }
    return [kept = Ref::pop(L), count](lua_State* to) {
        kept.push(to);
        int table = lua_gettop(to);
        lua_checkstack(to, count + 1);
        for (int i = 1; i <= count; ++i)
            lua_rawgeti(to, table, i);
        lua_remove(to, table);
        return count;
    };
}

// complete(callback, ...): callback(...) through the queue, as completions from C++ come. Callable in fast contexts.
int complete(lua_State* L, Runtime& runtime) {
    Ref callback = check_function(L, 1, "callback");
    runtime.events().call(std::move(callback), keep_arguments(L, 1));
    return 0;
}

constexpr const char* LISTENER = "himalaya.Listener";

int drop_listener(lua_State* L) {
    static_cast<Events::Listener*>(lua_touserdata(L, 1))->~shared_ptr();
    return 0;
}

Events::Listener& check_listener(lua_State* L) {
    void* found = lua_touserdata(L, 1);
    bool right = false;
    if (found && lua_getmetatable(L, 1)) {
        luaL_getmetatable(L, LISTENER);
        right = lua_rawequal(L, -1, -2) != 0;
        lua_pop(L, 2);
    }
    if (!right)
        bad_argument("listener", "expected what listen() gave");
    return *static_cast<Events::Listener*>(found);
}

// listen(callback, high?, gathering?) -> listener: a callback told again and again, of changes and of a stream's items
int listen(lua_State* L, Runtime& runtime) {
    std::int64_t high = is_given(L, 2) ? check_integer(L, 2, "high") : 64;
    if (high < 1)
        bad_argument("high", "expected 1 or more");
    bool gathering = is_given(L, 3) && check_boolean(L, 3, "gathering");
    Events::Listener listener =
        runtime.events().listen(check_function(L, 1, "callback"), static_cast<std::size_t>(high),
                                gathering ? Events::Pace::gathering : Events::Pace::prompt);
    new (lua_newuserdata(L, sizeof(Events::Listener))) Events::Listener(std::move(listener));
    if (luaL_newmetatable(L, LISTENER)) {
        lua_pushcclosure(L, drop_listener, 0);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return 1;
}

// change(listener, key, ...): of what waits under one key only the newest is told
int change(lua_State* L, Runtime& runtime) {
    Events::Listener listener = check_listener(L);
    std::string key(check_string(L, 2, "key"));
    runtime.events().change(listener, std::move(key), keep_arguments(L, 2));
    return 0;
}

// offer(listener, ...) -> boolean: an item, told in order; false when enough waits
int offer(lua_State* L, Runtime& runtime) {
    Events::Listener listener = check_listener(L);
    push(L, runtime.events().offer(listener, keep_arguments(L, 1)));
    return 1;
}

// on_room(listener, fn): fn through the queue each time the listener has room again
int on_room(lua_State* L, Runtime& runtime) {
    Events::Listener listener = check_listener(L);
    auto fn = std::make_shared<Ref>(check_function(L, 2, "fn"));
    Events::on_room(listener, [&runtime, fn] {
        fn->push(runtime.state());
        runtime.events().call(Ref::pop(runtime.state()), nullptr);
    });
    return 0;
}

} // namespace

void open_loop(lua_State* L, Runtime& runtime) {
    runtime.add_metrics("loop", [&runtime](lua_State* to) { push_figures(to, runtime); });
    lua_newtable(L);
    set_function<metrics>(L, "metrics");
    set_function<reset_metrics>(L, "reset_metrics");
    set_function<enter>(L, "enter");
    lua_pushcclosure(L, tell, 0);
    lua_setfield(L, -2, "tell");
    set_function<complete>(L, "complete");
    set_function<listen>(L, "listen");
    set_function<change>(L, "change");
    set_function<offer>(L, "offer");
    set_function<on_room>(L, "on_room");
    lua_setfield(L, -2, "loop");
}

} // namespace himalaya::lua
