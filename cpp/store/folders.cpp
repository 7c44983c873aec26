#include "store/folders.hpp"

#include <map>
#include <set>

namespace himalaya::store {

namespace {

// A literal, as statements are kept under the text that made them.
#define FOLDER_SELECT                                                                                        \
    "SELECT id, path, remote, delimiter, role, selectable, uidvalidity, uidnext, modseq, known, "            \
    "server_total, "                                                                                         \
    "server_unread, total, unread, synced_at, seq FROM folder WHERE "

constexpr std::string_view BY_ID = FOLDER_SELECT "id = ?";
constexpr std::string_view BY_PATH = FOLDER_SELECT "path = ? AND gone = 0";
constexpr std::string_view BY_ROLE = FOLDER_SELECT "role = ? AND gone = 0 ORDER BY id";
constexpr std::string_view ALL = FOLDER_SELECT "gone = 0 ORDER BY path";

Folder read(const Statement& row) {
    Folder folder;
    folder.id = row.integer(0);
    folder.path = row.string(1);
    folder.remote = row.string(2);
    folder.delimiter = row.string(3);
    folder.role = row.string(4);
    folder.selectable = row.integer(5) != 0;
    folder.uidvalidity = row.maybe_integer(6);
    folder.uidnext = row.maybe_integer(7);
    folder.modseq = row.integer(8);
    folder.known = row.string(9);
    folder.server_total = row.maybe_integer(10);
    folder.server_unread = row.maybe_integer(11);
    folder.total = row.integer(12);
    folder.unread = row.integer(13);
    folder.synced_at = row.integer(14);
    folder.seq = row.integer(15);
    return folder;
}

template<class Key>
std::optional<Folder> one(Database& database, std::string_view sql, const Key& key) {
    auto row = database.prepare(sql);
    if (!row.bind(key).step())
        return std::nullopt;
    return read(row);
}

} // namespace

std::vector<Folder> all_folders(Database& database) {
    std::vector<Folder> folders;
    auto row = database.prepare(ALL);
    while (row.step())
        folders.push_back(read(row));
    return folders;
}

std::optional<Folder> folder_of(Database& database, std::string_view path) {
    return one(database, BY_PATH, path);
}

std::optional<Folder> folder_of(Database& database, Id id) {
    return one(database, BY_ID, id);
}

std::optional<Folder> folder_with_role(Database& database, std::string_view role) {
    return one(database, BY_ROLE, role);
}

void keep_folders(Change& change, const std::vector<Folder>& listed) {
    // Every account has an inbox: a list of nothing is a server that does not feel well.
    if (listed.empty())
        return;
    auto& database = change.database();
    std::set<std::string, std::less<>> here;
    for (const auto& folder : listed) {
        here.insert(folder.path);
        // Only where something is new: an unchanged list must not wake any reader.
        auto keep = database.prepare(
            "INSERT INTO folder(path, remote, delimiter, role, selectable, gone, seq) VALUES(?, ?, ?, ?, ?, "
            "0, ?) "
            "ON CONFLICT(path) DO UPDATE SET remote = excluded.remote, delimiter = excluded.delimiter, "
            "role = excluded.role, selectable = excluded.selectable, gone = 0, seq = excluded.seq "
            "WHERE remote <> excluded.remote OR delimiter <> excluded.delimiter OR role <> excluded.role "
            "OR selectable <> excluded.selectable OR gone <> 0");
        keep.bind(folder.path, folder.remote, folder.delimiter, folder.role, folder.selectable, change.seq())
            .run();
        if (database.changes() > 0)
            if (auto kept = folder_of(database, folder.path))
                change.touch(kept->id);
    }
    for (const auto& known : all_folders(database)) {
        if (here.contains(known.path))
            continue;
        database.prepare("UPDATE folder SET gone = 1 WHERE id = ?").bind(known.id).run();
        change.touch(known.id);
    }
}

bool is_gone(Database& database, Id folder) {
    auto row = database.prepare("SELECT gone FROM folder WHERE id = ?");
    return !row.bind(folder).step() || row.integer(0) != 0;
}

void follow_renames(Change& change, const std::vector<Folder>& listed, const std::vector<Seen>& seen) {
    auto& database = change.database();
    std::set<std::string, std::less<>> there;
    for (const auto& folder : listed)
        there.insert(folder.path);
    std::map<std::string, std::int64_t, std::less<>> now;
    for (const auto& [path, uidvalidity] : seen)
        now.emplace(path, uidvalidity);
    // Its name may have been given to a folder made anew, as by a program that begins another archive each year.
    auto is_another = [&](const Folder& known) {
        auto found = now.find(known.path);
        return known.role != "inbox" && found != now.end() && found->second != *known.uidvalidity;
    };
    std::map<std::int64_t, std::vector<Id>> missing;
    for (const auto& known : all_folders(database))
        if (known.uidvalidity.value_or(0) != 0 && (!there.contains(known.path) || is_another(known)))
            missing[*known.uidvalidity].push_back(known.id);
    if (missing.empty())
        return;
    std::map<std::int64_t, std::vector<std::string>> unknown;
    for (const auto& [path, uidvalidity] : seen) {
        auto row = database.prepare("SELECT 1 FROM folder WHERE path = ?");
        if (!row.bind(path).step())
            unknown[uidvalidity].push_back(path);
    }
    for (const auto& [uidvalidity, paths] : unknown) {
        auto from = missing.find(uidvalidity);
        // Some servers give many folders the same one: then nothing is certain.
        if (paths.size() != 1 || from == missing.end() || from->second.size() != 1)
            continue;
        auto id = from->second.front();
        database.prepare("UPDATE folder SET path = ?, uidvalidity = 0 WHERE id = ?")
            .bind(paths.front(), id)
            .run();
        change.touch(id);
    }
}

void note_progress(Change& change, Id folder, const Progress& progress) {
    auto note = change.database().prepare(
        "UPDATE folder SET uidvalidity = coalesce(?, uidvalidity), uidnext = coalesce(?, uidnext), "
        "modseq = coalesce(?, modseq), known = coalesce(?, known), server_total = coalesce(?, server_total), "
        "server_unread = coalesce(?, server_unread), synced_at = coalesce(?, synced_at) WHERE id = ?");
    note.bind(progress.uidvalidity, progress.uidnext, progress.modseq, progress.known, progress.server_total,
              progress.server_unread, progress.synced_at, folder)
        .run();
}

} // namespace himalaya::store
