// Values between Lua and C++. Reading never raises in Lua: what is wrong is thrown as BadArgument with the name of
// the argument, "opts.timeout: expected a number, got string".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "lua/lua.hpp"
#include "lua/thunk.hpp"

namespace himalaya::lua {

// A Lua value kept alive from C++. Main thread only; costs two table writes.
class Ref {
  public:
    Ref() = default;
    // Takes the value on top of the stack.
    static Ref pop(lua_State* L);
    static Ref of(lua_State* L, int index);
    Ref(Ref&& other) noexcept : m_id(other.m_id) { other.m_id = LUA_NOREF; }
    Ref& operator=(Ref&& other) noexcept;
    ~Ref() { reset(); }

    void push(lua_State* L) const { lua_rawgeti(L, LUA_REGISTRYINDEX, m_id); }
    void reset();
    explicit operator bool() const { return m_id != LUA_NOREF; }

  private:
    int m_id = LUA_NOREF;
};

// Arguments. `name` is what the message calls them.
std::string_view check_string(lua_State* L, int index, std::string_view name);
double check_number(lua_State* L, int index, std::string_view name);
std::int64_t check_integer(lua_State* L, int index, std::string_view name);
bool check_boolean(lua_State* L, int index, std::string_view name);
Ref check_function(lua_State* L, int index, std::string_view name);
// How many a list holds. A table with a hole in it, or with a key that is no place in the list, is none.
std::size_t check_list(lua_State* L, int index, std::string_view name);
std::vector<std::string> check_strings(lua_State* L, int index, std::string_view name);
bool is_given(lua_State* L, int index); // neither nil nor missing
// A function or nothing.
Ref optional_function(lua_State* L, int index, std::string_view name);

// A table as an argument, read field by field. A missing field is nothing, one of a wrong type is thrown.
// Fields are read raw: no metamethod of a caller runs in here.
class Table {
  public:
    // nil counts as an empty table where `required` is false.
    Table(lua_State* L, int index, std::string name, bool required = true);

    bool has(const char* field) const;
    std::optional<std::string> string(const char* field) const;
    std::optional<double> number(const char* field) const;
    std::optional<std::int64_t> integer(const char* field) const;
    std::optional<bool> boolean(const char* field) const;
    std::optional<std::vector<std::string>> strings(const char* field) const;
    std::optional<std::map<std::string, std::string>> string_map(const char* field) const;
    Ref function(const char* field) const;
    std::string required_string(const char* field) const;
    // fn(Table) for the table in a field, when it is there; what it reads is valid inside.
    template<class F>
    bool with_table(const char* field, F fn) const {
        if (!get(field, LUA_TTABLE, "a table"))
            return false;
        fn(Table(m_L, lua_gettop(m_L), path(field)));
        lua_pop(m_L, 1);
        return true;
    }
    // fn(index, Table) for each table of a list of tables.
    template<class F>
    void each_table(F fn) const {
        auto count = static_cast<int>(length());
        for (int i = 1; i <= count; ++i) {
            lua_rawgeti(m_L, m_index, i);
            fn(i, Table(m_L, lua_gettop(m_L), m_name + "[" + std::to_string(i) + "]"));
            lua_pop(m_L, 1);
        }
    }
    std::size_t length() const;
    std::string path(const char* field) const { return m_name + "." + field; }

  private:
    // Pushes the field; false (nothing pushed) when it is nil.
    bool get(const char* field, int type, const char* expected) const;

    lua_State* m_L;
    int m_index; // 0: empty
    std::string m_name;
};

void push(lua_State* L, std::string_view text);
inline void push(lua_State* L, const std::string& text) {
    push(L, std::string_view(text));
}
inline void push(lua_State* L, const char* text) {
    push(L, std::string_view(text));
}
inline void push(lua_State* L, bool truth) {
    lua_pushboolean(L, truth);
}
inline void push(lua_State* L, double number) {
    lua_pushnumber(L, number);
}
inline void push(lua_State* L, int number) {
    lua_pushnumber(L, number);
}
inline void push(lua_State* L, std::int64_t number) {
    lua_pushnumber(L, static_cast<double>(number));
}
inline void push(lua_State* L, std::uint64_t number) {
    lua_pushnumber(L, static_cast<double>(number));
}
// { code, message, hint?, retryable, detail? } with a metatable whose tostring is the message.
void push(lua_State* L, const Error& error);
void push(lua_State* L, const std::vector<std::string>& list);
template<class T>
void push(lua_State* L, const std::optional<T>& value) {
    if (value)
        push(L, *value);
    else
        lua_pushnil(L);
}
// JSON as Lua values; null becomes nil, what is no JSON a string.
void push_json(lua_State* L, std::string_view json);

// Puts a field into the table on top of the stack.
template<class T>
void set(lua_State* L, const char* name, const T& value) {
    push(L, value);
    lua_setfield(L, -2, name);
}

} // namespace himalaya::lua
