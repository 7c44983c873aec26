#include "lua/values.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/json_in.hpp"
#include "lua/runtime.hpp"

namespace himalaya::lua {

namespace {

[[noreturn]] void wrong_type(lua_State* L, int index, std::string_view name, std::string_view expected) {
    const char* got = lua_isnoneornil(L, index) ? "nil" : lua_typename(L, lua_type(L, index));
    bad_argument(name, fmt::format("expected {}, got {}", expected, got));
}

int absolute(lua_State* L, int index) {
    return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(L) + index + 1;
}

std::string string_at(lua_State* L, int index) {
    std::size_t length = 0;
    const char* text = lua_tolstring(L, index, &length);
    return {text, length};
}

int error_to_string(lua_State* L) {
    lua_getfield(L, 1, "message");
    return 1;
}

void push_value(lua_State* L, const json::Value& value, int depth) {
    lua_checkstack(L, 8);
    if (auto text = value.string()) {
        push(L, *text);
    } else if (auto truth = value.boolean()) {
        push(L, *truth);
    } else if (auto number = value.number()) {
        push(L, *number);
    } else if (depth > 0 && value.is_array()) {
        lua_newtable(L);
        int i = 0;
        for (const json::Value& element : value.elements()) {
            push_value(L, element, depth - 1);
            lua_rawseti(L, -2, ++i);
        }
    } else if (depth > 0 && value.is_object()) {
        lua_newtable(L);
        for (const auto& [key, member] : value.members()) {
            push(L, key);
            push_value(L, member, depth - 1);
            lua_rawset(L, -3);
        }
    } else {
        lua_pushnil(L);
    }
}

} // namespace

void bad_argument(std::string_view name, std::string_view problem) {
    throw BadArgument{fmt::format("{}: {}", name, problem)};
}

Ref Ref::pop(lua_State* L) {
    Ref ref;
    ref.m_id = luaL_ref(L, LUA_REGISTRYINDEX);
    return ref;
}

Ref Ref::of(lua_State* L, int index) {
    lua_pushvalue(L, index);
    return pop(L);
}

Ref& Ref::operator=(Ref&& other) noexcept {
    if (this != &other) {
        reset();
        m_id = other.m_id;
        other.m_id = LUA_NOREF;
    }
    return *this;
}

void Ref::reset() {
    int id = m_id;
    m_id = LUA_NOREF;
    if (id == LUA_NOREF)
        return;
    if (Runtime* runtime = Runtime::current())
        luaL_unref(runtime->state(), LUA_REGISTRYINDEX, id);
}

std::string_view check_string(lua_State* L, int index, std::string_view name) {
    if (lua_type(L, index) != LUA_TSTRING)
        wrong_type(L, index, name, "a string");
    std::size_t length = 0;
    const char* text = lua_tolstring(L, index, &length);
    return {text, length};
}

double check_number(lua_State* L, int index, std::string_view name) {
    if (lua_type(L, index) != LUA_TNUMBER)
        wrong_type(L, index, name, "a number");
    return lua_tonumber(L, index);
}

std::int64_t check_integer(lua_State* L, int index, std::string_view name) {
    double number = check_number(L, index, name);
    if (std::floor(number) != number || std::fabs(number) > 9e15)
        bad_argument(name, fmt::format("expected a whole number, got {}", number));
    return static_cast<std::int64_t>(number);
}

bool check_boolean(lua_State* L, int index, std::string_view name) {
    if (lua_type(L, index) != LUA_TBOOLEAN)
        wrong_type(L, index, name, "a boolean");
    return lua_toboolean(L, index) != 0;
}

Ref check_function(lua_State* L, int index, std::string_view name) {
    if (lua_type(L, index) != LUA_TFUNCTION)
        wrong_type(L, index, name, "a function");
    return Ref::of(L, index);
}

std::size_t check_list(lua_State* L, int index, std::string_view name) {
    if (lua_type(L, index) != LUA_TTABLE)
        wrong_type(L, index, name, "a list");
    index = absolute(L, index);
    auto count = lua_objlen(L, index);
    // What comes after the last one in the table's own order: nothing, where the list was made as lists are.
    if (count > 0)
        lua_pushnumber(L, static_cast<double>(count));
    else
        lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        double key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        if (key >= 1 && key <= static_cast<double>(count) && std::floor(key) == key)
            continue;
        std::string what = lua_type(L, -1) == LUA_TNUMBER   ? fmt::format("[{}]", key)
                           : lua_type(L, -1) == LUA_TSTRING ? fmt::format("'{}'", string_at(L, -1))
                                                            : lua_typename(L, lua_type(L, -1));
        bad_argument(name, count == 0 || key == 0
                               ? fmt::format("expected a list, got a table with the key {}", what)
                               : fmt::format("has a hole: [{}] is nil and {} is not", count + 1, what));
    }
    return count;
}

std::vector<std::string> check_strings(lua_State* L, int index, std::string_view name) {
    if (lua_type(L, index) != LUA_TTABLE)
        wrong_type(L, index, name, "a list of strings");
    index = absolute(L, index);
    std::vector<std::string> list;
    auto count = static_cast<int>(check_list(L, index, name));
    for (int i = 1; i <= count; ++i) {
        lua_rawgeti(L, index, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            wrong_type(L, -1, fmt::format("{}[{}]", name, i), "a string");
        list.push_back(string_at(L, -1));
        lua_pop(L, 1);
    }
    return list;
}

bool is_given(lua_State* L, int index) {
    return !lua_isnoneornil(L, index);
}

Ref optional_function(lua_State* L, int index, std::string_view name) {
    return is_given(L, index) ? check_function(L, index, name) : Ref();
}

Table::Table(lua_State* L, int index, std::string name, bool required)
    : m_L(L), m_index(absolute(L, index)), m_name(std::move(name)) {
    if (!required && !is_given(L, index))
        m_index = 0;
    else if (lua_type(L, index) != LUA_TTABLE)
        wrong_type(L, index, m_name, "a table");
}

bool Table::get(const char* field, int type, const char* expected) const {
    if (m_index == 0)
        return false;
    lua_pushstring(m_L, field);
    lua_rawget(m_L, m_index);
    if (lua_isnil(m_L, -1)) {
        lua_pop(m_L, 1);
        return false;
    }
    if (type != LUA_TNONE && lua_type(m_L, -1) != type)
        wrong_type(m_L, -1, path(field), expected);
    return true;
}

bool Table::has(const char* field) const {
    if (!get(field, LUA_TNONE, ""))
        return false;
    lua_pop(m_L, 1);
    return true;
}

std::optional<std::string> Table::string(const char* field) const {
    if (!get(field, LUA_TSTRING, "a string"))
        return std::nullopt;
    std::string text = string_at(m_L, -1);
    lua_pop(m_L, 1);
    return text;
}

std::optional<double> Table::number(const char* field) const {
    if (!get(field, LUA_TNUMBER, "a number"))
        return std::nullopt;
    double number = lua_tonumber(m_L, -1);
    lua_pop(m_L, 1);
    return number;
}

std::optional<std::int64_t> Table::integer(const char* field) const {
    if (!get(field, LUA_TNUMBER, "a whole number"))
        return std::nullopt;
    std::int64_t number = check_integer(m_L, -1, path(field));
    lua_pop(m_L, 1);
    return number;
}

std::optional<bool> Table::boolean(const char* field) const {
    if (!get(field, LUA_TBOOLEAN, "a boolean"))
        return std::nullopt;
    bool truth = lua_toboolean(m_L, -1) != 0;
    lua_pop(m_L, 1);
    return truth;
}

std::optional<std::vector<std::string>> Table::strings(const char* field) const {
    if (!get(field, LUA_TTABLE, "a list of strings"))
        return std::nullopt;
    std::vector<std::string> list = check_strings(m_L, -1, path(field));
    lua_pop(m_L, 1);
    return list;
}

std::optional<std::map<std::string, std::string>> Table::string_map(const char* field) const {
    if (!get(field, LUA_TTABLE, "a table of strings"))
        return std::nullopt;
    std::map<std::string, std::string> map;
    int index = lua_gettop(m_L);
    lua_pushnil(m_L);
    while (lua_next(m_L, index)) {
        if (lua_type(m_L, -2) != LUA_TSTRING)
            wrong_type(m_L, -2, path(field), "names as keys");
        std::string key = string_at(m_L, -2);
        if (lua_type(m_L, -1) != LUA_TSTRING)
            wrong_type(m_L, -1, path(field) + "." + key, "a string");
        map[std::move(key)] = string_at(m_L, -1);
        lua_pop(m_L, 1);
    }
    lua_pop(m_L, 1);
    return map;
}

Ref Table::function(const char* field) const {
    if (!get(field, LUA_TFUNCTION, "a function"))
        return {};
    return Ref::pop(m_L);
}

std::string Table::required_string(const char* field) const {
    auto text = string(field);
    if (!text)
        bad_argument(path(field), "is missing");
    return *std::move(text);
}

std::size_t Table::length() const {
    return m_index == 0 ? 0 : lua_objlen(m_L, m_index);
}

void push(lua_State* L, std::string_view text) {
    lua_pushlstring(L, text.data(), text.size());
}

void push(lua_State* L, const Error& error) {
    lua_createtable(L, 0, 5);
    set(L, "code", name_of(error.code));
    set(L, "message", error.message);
    if (!error.hint.empty())
        set(L, "hint", error.hint);
    set(L, "retryable", error.retryable);
    if (!error.detail.empty()) {
        push_json(L, error.detail);
        lua_setfield(L, -2, "detail");
    }
    if (luaL_newmetatable(L, "himalaya.Error")) {
        lua_pushcfunction(L, error_to_string);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
}

void push(lua_State* L, const std::vector<std::string>& list) {
    lua_createtable(L, static_cast<int>(list.size()), 0);
    int i = 0;
    for (const std::string& text : list) {
        push(L, text);
        lua_rawseti(L, -2, ++i);
    }
}

void push_json(lua_State* L, std::string_view json) {
    auto document = json::Document::parse(json);
    if (document)
        push_value(L, document->root(), 100);
    else
        push(L, json);
}

} // namespace himalaya::lua
