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
