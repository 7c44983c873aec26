// Rows of the store as Lua sees them.
#pragma once

#include "lua/values.hpp"
#include "store/rows.hpp"

namespace himalaya::lua {

void push_mail_folder(lua_State* L, const store::Folder& folder);
void push_mail_item(lua_State* L, const store::Message& message);
void push_mail_ids(lua_State* L, const std::vector<store::Id>& ids);
std::vector<store::Id> check_ids(lua_State* L, int index, std::string_view name);

} // namespace himalaya::lua
