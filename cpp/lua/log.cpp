// native.log: the log for Lua's own rooms, for :HimalayaLog and bug reports.
#include "base/log.hpp"

#include "lua/areas.hpp"
#include "lua/runtime.hpp"

namespace himalaya::lua {

namespace {

log::Level check_level(lua_State* L, int index) {
    std::string_view name = check_string(L, index, "level");
    for (int i = 0; i <= static_cast<int>(log::Level::error); ++i)
        if (log::name_of(static_cast<log::Level>(i)) == name)
            return static_cast<log::Level>(i);
    bad_argument("level", "expected trace, debug, info, warn or error");
}

// add(level, room, text)
int add(lua_State* L, Runtime&) {
    log::Level level = check_level(L, 1);
    std::string_view room = check_string(L, 2, "room");
    log::add(level, room, check_string(L, 3, "text"));
    return 0;
}

// recent(most?) -> { { time_ms, level, room, text }, ... }, oldest first
int recent(lua_State* L, Runtime&) {
    std::int64_t most = is_given(L, 1) ? check_integer(L, 1, "most") : 2000;
    if (most < 0)
        bad_argument("most", "expected 0 or more");
    std::vector<log::Line> lines = log::recent(static_cast<std::size_t>(most));
    lua_createtable(L, static_cast<int>(lines.size()), 0);
    int i = 0;
    for (const log::Line& line : lines) {
        lua_createtable(L, 0, 4);
        set(L, "time_ms", line.time_ms);
        set(L, "level", log::name_of(line.level));
        set(L, "room", line.room);
        set(L, "text", line.text);
        lua_rawseti(L, -2, ++i);
    }
    return 1;
}

// set_level(level)
int set_level(lua_State* L, Runtime&) {
    log::set_level(check_level(L, 1));
    return 0;
}

// open_file(path): lines go there too, written by a thread of the log's own
int open_file(lua_State* L, Runtime&) {
    log::open_file(std::string(check_string(L, 1, "path")));
    return 0;
}

} // namespace

void open_log(lua_State* L, Runtime&) {
    lua_newtable(L);
    set_function<add>(L, "add");
    set_function<recent>(L, "recent");
    set_function<set_level>(L, "set_level");
    set_function<open_file>(L, "open_file");
    lua_setfield(L, -2, "log");
}

} // namespace himalaya::lua
