// IMAP's values as Lua sees them: options in, messages, folders and changes out.
#pragma once

#include "auth/source.hpp"
#include "imap/account.hpp"
#include "imap/change.hpp"
#include "imap/fetch.hpp"
#include "imap/folder.hpp"
#include "imap/pool.hpp"
#include "imap/search.hpp"
#include "imap/watch.hpp"
#include "lua/values.hpp"

#include <array>

namespace himalaya::lua {

// What Lua calls the flags that it need not know by their names on the wire.
struct FlagName {
    std::string_view flag;
    const char* name;
};
inline constexpr std::array flag_names = {
    FlagName{"\\Seen", "seen"},       FlagName{"\\Answered", "answered"}, FlagName{"\\Flagged", "flagged"},
    FlagName{"\\Deleted", "deleted"}, FlagName{"\\Draft", "draft"},       FlagName{"$Forwarded", "forwarded"},
};

imap::Account check_account(const Table& options, loop::Loop& loop);
imap::FetchWants check_wants(lua_State* L, int index);
// A whole number of a field, where it is given.
std::optional<uint64_t> check_count(const Table& table, const char* field,
                                    int64_t most = 9'007'199'254'740'991);
imap::UidSet check_uids(lua_State* L, int index, std::string_view name);
std::vector<std::string> check_flags(const std::vector<std::string>& names, std::string_view path);
imap::SearchRequest check_criteria(lua_State* L, int index);

// A text of a table whose charset has tables of its own on the disk: decoded on a worker and set then.
struct Undecoded {
    Ref table;
    const char* key;
    std::string text;
};

// A message as a table: { uid, size, flags, envelope, ... }. Only what came is there, and nothing yet for `undecoded`.
void push_message(lua_State* L, const imap::Fetch& message, std::vector<Undecoded>& undecoded);
void push_folder(lua_State* L, const imap::FolderInfo& folder);
void push_status(lua_State* L, const imap::StatusInfo& status);
void push_change(lua_State* L, const imap::Change& change);
void push_stats(lua_State* L, const imap::PoolStats& stats);
void push_capabilities(lua_State* L, const imap::Capabilities& capabilities);
void push_uids(lua_State* L, const imap::UidSet& uids);

} // namespace himalaya::lua
