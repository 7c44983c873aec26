#include "lua/mail_values.hpp"

#include <cmath>

namespace himalaya::lua {

namespace {

void push_address(lua_State* L, const store::Address& address) {
    lua_createtable(L, 0, 2);
    set(L, "name", address.name);
    set(L, "addr", address.addr);
}

void push_flags(lua_State* L, std::uint32_t flags) {
    lua_createtable(L, 0, 5);
    set(L, "seen", (flags & store::SEEN) != 0);
    set(L, "flagged", (flags & store::FLAGGED) != 0);
    set(L, "answered", (flags & store::ANSWERED) != 0);
    set(L, "draft", (flags & store::DRAFT) != 0);
    set(L, "forwarded", (flags & store::FORWARDED) != 0);
}

} // namespace

void push_mail_folder(lua_State* L, const store::Folder& folder) {
    lua_createtable(L, 0, 10);
    auto level = folder.path.rfind('/');
    set(L, "name", level == std::string::npos ? folder.path : folder.path.substr(level + 1));
    set(L, "path", folder.path);
    if (!folder.role.empty())
        set(L, "role", folder.role);
    // Counts of what nobody has looked at yet are not known, which is not the same as none.
    if (folder.uidvalidity) {
        set(L, "total", folder.total);
        set(L, "unread", folder.unread);
    }
    set(L, "selectable", folder.selectable);
    set(L, "synced_at", folder.synced_at);
    set(L, "id", folder.id);
}

void push_mail_item(lua_State* L, const store::Message& message) {
    lua_createtable(L, 0, 16);
    set(L, "id", message.id);
    set(L, "folder_id", message.folder);
    if (message.uid)
        set(L, "uid", *message.uid);
    set(L, "subject", message.subject);
    push_address(L, message.from);
    lua_setfield(L, -2, "from");
    lua_createtable(L, static_cast<int>(message.to.size()), 0);
    int at = 0;
    for (const auto& address : message.to) {
        push_address(L, address);
        lua_rawseti(L, -2, ++at);
    }
    lua_setfield(L, -2, "to");
    set(L, "date", message.sent.value_or(message.arrived));
    set(L, "arrived", message.arrived);
    set(L, "size", message.size);
    push_flags(L, message.flags);
    lua_setfield(L, -2, "flags");
    set(L, "keywords", message.keywords);
    set(L, "has_attachment", (message.flags & store::HAS_ATTACHMENT) != 0);
    set(L, "pending", message.pending);
    set(L, "thread", message.thread);
    set(L, "thread_depth", message.depth);
    set(L, "has_body", message.body.has_value());
}

void push_mail_ids(lua_State* L, const std::vector<store::Id>& ids) {
    lua_createtable(L, static_cast<int>(ids.size()), 0);
    int at = 0;
    for (auto id : ids) {
        push(L, id);
        lua_rawseti(L, -2, ++at);
    }
}

std::vector<store::Id> check_ids(lua_State* L, int index, std::string_view name) {
    std::vector<store::Id> ids;
    if (lua_type(L, index) == LUA_TNUMBER) {
        ids.push_back(check_integer(L, index, name));
        return ids;
    }
    if (lua_type(L, index) != LUA_TTABLE)
        bad_argument(name, "expected an id or a list of ids");
    auto count = static_cast<int>(lua_objlen(L, index));
    for (int i = 1; i <= count; ++i) {
        lua_rawgeti(L, index, i);
        bool whole = lua_type(L, -1) == LUA_TNUMBER && std::floor(lua_tonumber(L, -1)) == lua_tonumber(L, -1);
        if (!whole) {
            lua_pop(L, 1);
            bad_argument(std::string(name) + "[" + std::to_string(i) + "]", "expected an id, a whole number");
        }
        ids.push_back(static_cast<store::Id>(lua_tonumber(L, -1)));
        lua_pop(L, 1);
    }
    return ids;
}

} // namespace himalaya::lua
