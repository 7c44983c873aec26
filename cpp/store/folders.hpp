// The folders of an account, and what is known of each on the server.
#pragma once

#include "store/change.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace himalaya::store {

std::vector<Folder> all_folders(Database& database);
std::optional<Folder> folder_of(Database& database, std::string_view path);
std::optional<Folder> folder_of(Database& database, Id id);
std::optional<Folder> folder_with_role(Database& database, std::string_view role);

// The server's list as it is now: new folders come, known ones keep their id. A folder that is missing is
// only marked gone, and its mail stays until the guard or the user says otherwise.
void keep_folders(Change& change, const std::vector<Folder>& listed);

bool is_gone(Database& database, Id folder);

// Before keep_folders(): a folder that is missing now, or has given its name to another, while one that was never seen
// has its UIDVALIDITY, was renamed. It keeps its rows and what the user did to them, but none of its names: that the
// messages are the same has to show when they are told of again.
struct Seen {
    std::string path;
    std::int64_t uidvalidity = 0;
};
void follow_renames(Change& change, const std::vector<Folder>& listed, const std::vector<Seen>& seen);

// What a sync step learned of a folder, in the transaction that commits everything up to it.
struct Progress {
    std::optional<std::int64_t> uidvalidity;
    std::optional<std::int64_t> uidnext;
    std::optional<std::int64_t> modseq;
    std::optional<std::string> known;
    std::optional<std::int64_t> server_total;
    std::optional<std::int64_t> server_unread;
    std::optional<std::int64_t> synced_at;
};
void note_progress(Change& change, Id folder, const Progress& progress);

} // namespace himalaya::store
