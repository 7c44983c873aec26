#include "store/salvage.hpp"

#include "store/change.hpp"
#include "store/first_page.hpp"
#include "store/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace himalaya::store {

namespace {

// Copies rows one at a time, so that a page that cannot be read costs its own rows only.
int copy_rows(Database& from, Change& into, const char* table, const char* columns,
              const std::string& where) {
    int copied = 0;
    try {
        // By the tables themselves: an index may be what is damaged.
        auto row =
            from.prepare_once(fmt::format("SELECT {} FROM {} NOT INDEXED WHERE {}", columns, table, where));
        std::string marks;
        for (const char* at = columns; *at; ++at)
            if (*at == ',')
                marks += "?,";
        marks += "?";
        auto sql = fmt::format("INSERT OR IGNORE INTO {}({}) VALUES({})", table, columns, marks);
        auto count = static_cast<int>(std::count(sql.begin(), sql.end(), '?'));
        while (row.step()) {
            auto insert = into.database().prepare_once(sql);
            for (int i = 0; i < count; ++i) {
                if (row.is_null(i))
                    insert.bind_at(i + 1, nullptr);
                else if (row.type(i) == SQLITE_INTEGER)
                    insert.bind_at(i + 1, row.integer(i));
                else if (row.type(i) == SQLITE_BLOB)
                    insert.bind_at(i + 1, row.blob(i));
                else
                    insert.bind_at(i + 1, row.text(i));
            }
            insert.run();
            ++copied;
        }
    } catch (const Error&) {
        // The damage begins here; what was read before it is kept.
    }
    return copied;
}

constexpr const char* UNFINISHED =
    "state IN ('queued', 'sent') AND kind IN ('flag', 'move', 'copy', 'expunge', 'append')";
// A text of the user's own that the server did not take is here alone.
constexpr const char* NOT_TAKEN = "kind = 'append' AND state = 'failed'";
// Asked of the new store, which has the targets already.
constexpr const char* NEEDED =
    "SELECT message FROM op_target UNION SELECT made FROM op_target WHERE made > 0";

constexpr const char* NONSENSE = "kind NOT IN ('flag', 'move', 'copy', 'expunge', 'append') OR "
                                 "state NOT IN ('queued', 'sent', 'done', 'failed', 'undone')";

// -1 where that cannot be read.
int count(Database& database, const std::string& sql) {
    try {
        auto row = database.prepare_once(sql);
        return row.step() ? static_cast<int>(row.integer(0)) : 0;
    } catch (const Error&) {
        return -1;
    }
}

// The table and its index, of which one may be damaged, and what can be neither told to be done nor to be waiting.
int count_unfinished(Database& database) {
    auto in_table = count(
        database, fmt::format("SELECT count(*) FROM op NOT INDEXED WHERE {} OR {}", UNFINISHED, NONSENSE));
    auto in_index =
        count(database, fmt::format("SELECT count(*) FROM op INDEXED BY op_state WHERE {}", UNFINISHED));
    return std::max(in_table, in_index);
}

// The rows that the new store names with `sql`; some at a time, so that no statement is longer than SQLite allows.
void copy_named(Database& old, Change& into, const char* table, const char* columns, const std::string& sql) {
    constexpr int at_a_time = 5'000;
    auto row = into.database().prepare_once(sql);
    for (bool more = true; more;) {
        std::string list;
        for (int i = 0; i < at_a_time && (more = row.step()); ++i)
            list += fmt::format("{}{}", list.empty() ? "" : ",", row.integer(0));
        if (!list.empty())
            copy_rows(old, into, table, columns, fmt::format("id IN ({})", list));
    }
}

void carry_over(Database& old, Database& fresh, Salvage& salvage) {
    Change change(fresh);
    // Known ranges and modseqs are not carried: they spoke of rows that are not here any more.
    copy_rows(old, change, "folder", "id, path, remote, delimiter, role, selectable", "1");
    constexpr auto op_columns =
        "id, kind, state, folder, target, add_flags, remove_flags, add_keywords, remove_keywords, "
        "made_at, not_before, tries, uidnext, instance, error";
    constexpr auto target_columns = "op, message, remote, made, flags_before, keywords_before, done";
    salvage.ops = copy_rows(old, change, "op", op_columns, UNFINISHED);
    copy_rows(old, change, "op", op_columns, NOT_TAKEN);
    constexpr auto of = "op IN (SELECT id FROM op NOT INDEXED WHERE {}) AND {}";
    copy_rows(old, change, "op_target", target_columns, fmt::format(of, UNFINISHED, "done = 0"));
    copy_rows(old, change, "op_target", target_columns, fmt::format(of, NOT_TAKEN, "done = 1"));
    copy_named(
        old, change, "message",
        "id, folder, remote, arrived, flags, server_flags, hidden, pending, thread, size, sent, subject, "
        "from_name, from_addr, keywords, server_keywords, recipients, message_id, message_hash, parent_hash, "
        "body, seq",
        NEEDED);
    copy_named(old, change, "body", "id, hash, size, packed, file",
               "SELECT body FROM message WHERE body > 0");
    auto row = fresh.prepare("SELECT folder, arrived, flags FROM message WHERE hidden = 0");
    while (row.step())
        change.count(row.integer(0), row.integer(1), 1, row.integer(2) & SEEN ? 0 : 1);
    change.commit();
}

// Ids that an open window or another Neovim remembers are never given to something else, a leader of before finds
// itself overtaken, and `seq > last` goes on to mean what is new.
void go_on_counting(Database* old, Database& fresh, std::int64_t now) {
    auto last = [&](const char* sql, std::string_view name) {
        if (old)
            try {
                auto row = old->prepare(sql);
                if (row.bind(name).step())
                    return row.integer(0);
            } catch (const Error&) {
                // The damage lies there.
            }
        return now; // no store has ever come so far
    };
    Change change(fresh);
    for (std::string_view table : {"folder", "message", "op", "request", "sync_run"}) {
        auto from = last("SELECT seq FROM sqlite_sequence WHERE name = ?", table);
        fresh.prepare("DELETE FROM sqlite_sequence WHERE name = ?").bind(table).run();
        fresh.prepare("INSERT INTO sqlite_sequence(name, seq) VALUES(?, ?)").bind(table, from).run();
    }
    change.set_fact("epoch", last("SELECT value FROM fact WHERE name = ?", "epoch") + 1);
    change.set_fact("seq",
                    std::max(change.fact("seq"), last("SELECT value FROM fact WHERE name = ?", "seq")) + 1);
    change.commit();
}

std::string being_made(const std::string& path) {
    return path + ".anew";
}

std::string made_anew(const std::string& path) {
    return path + ".whole";
}

// A copy of the damaged file with the first page of a sound one.
std::string legible_copy(const std::string& path) {
    return path + ".legible";
}

bool knows_its_tables(Database& database) {
    return count(database, "SELECT count(*) FROM sqlite_master WHERE name IN ('op', 'op_target')") == 2;
}

void remove_database(const std::string& path) {
    std::error_code ignored;
    for (const char* tail : {"", "-wal", "-shm"})
        std::filesystem::remove(path + tail, ignored);
}

// The file as it can be read: itself, else a copy that was told where its tables lie; null when neither helps.
Database* legible(const std::string& path, const std::string& sound, std::optional<Database>& old,
                  std::optional<Database>& copy) {
    if (old && knows_its_tables(*old))
        return &*old;
    auto first = FirstPage::of(sound);
    auto place = legible_copy(path);
    remove_database(place);
    try {
        for (const char* tail : {"", "-wal"})
            if (std::filesystem::exists(path + tail))
                std::filesystem::copy_file(path + tail, place + tail);
        if (!first || !first->lend_to(place))
            return nullptr;
        copy.emplace(place, Database::Mode::write);
        return knows_its_tables(*copy) ? &*copy : nullptr;
    } catch (const std::exception&) {
        return nullptr;
    }
}

} // namespace

bool is_sound(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored))
        return true;
    try {
        Database database(path, Database::Mode::write);
        // Not quick_check, which does not compare indexes with their tables: a reader may have met just that.
        auto row = database.prepare_once("PRAGMA integrity_check(1)");
        if (!row.step() || row.text(0) != "ok" || !is_whole(database))
            return false;
        auto op = database.prepare_once("SELECT count(*) FROM sqlite_master WHERE name = 'op'");
        if (!op.step() || op.integer(0) == 0)
            return true; // nothing has been written yet
        auto nonsense =
            database.prepare_once(fmt::format("SELECT 1 FROM op NOT INDEXED WHERE {} LIMIT 1", NONSENSE));
        return !nonsense.step();
    } catch (const Error& error) {
        if (error.detail.find("damaged") != std::string::npos ||
            error.detail.find("doubtful") != std::string::npos)
            return false;
        throw; // locked or unreadable is not damaged
    }
}

void look_at_ops(Database& database) {
    // By the gaps between the states there are, so that an index of any length is asked a few questions.
    auto row = database.prepare_once(
        "SELECT 1 FROM op WHERE state < 'done' OR (state > 'done' AND state < 'failed') OR "
        "(state > 'failed' AND state < 'queued') OR (state > 'queued' AND state < 'sent') OR "
        "(state > 'sent' AND state < 'undone') OR state > 'undone' LIMIT 1");
    if (row.step())
        database.fail("look at what waits for the server", SQLITE_CORRUPT);
}

void go_on_from_afar(Database& fresh, std::int64_t now) {
    {
        auto row = fresh.prepare("SELECT 1 FROM fact WHERE name = 'epoch'");
        if (row.step())
            return;
    }
    go_on_counting(nullptr, fresh, now);
}

void adopt_made_anew(const std::string& path) {
    std::error_code problem;
    if (!std::filesystem::exists(path, problem) && std::filesystem::exists(made_anew(path), problem))
        std::filesystem::rename(made_anew(path), path, problem);
}

Salvage set_aside(const std::string& path, std::int64_t now) {
    Salvage salvage;
    remove_database(being_made(path));
    remove_database(made_anew(path));
    std::optional<Database> old;
    {
        // Closed before it gets its place: then all of it is in the one file.
        Database fresh(being_made(path), Database::Mode::write);
        set_pragmas(fresh, Database::Mode::write);
        open_schema(fresh);
        fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        try {
            old.emplace(path, Database::Mode::write);
            // Until it lies elsewhere nobody writes to it any more.
            old->execute("BEGIN IMMEDIATE");
        } catch (const Error&) {
            // As far as it can be read it is.
        }
        std::optional<Database> copy;
        auto* readable = legible(path, being_made(path), old, copy);
        int there = readable ? count_unfinished(*readable) : -1;
        if (readable)
            try {
                carry_over(*readable, fresh, salvage);
            } catch (const Error&) {
                // Nothing in it can be read at all; the message that it was set aside says where it lies.
            }
        go_on_counting(readable, fresh, now);
        salvage.lost_ops = there > salvage.ops ? there - salvage.ops : 0;
        salvage.legible = there >= 0;
    }
    remove_database(legible_copy(path));
    std::error_code problem;
    std::filesystem::rename(being_made(path), made_anew(path), problem);
    salvage.set_aside = fmt::format("{}.damaged-{}", path, now);
    // One that was set aside in this very second is not written over.
    while (std::filesystem::exists(salvage.set_aside, problem))
        salvage.set_aside += "-again";
    std::filesystem::rename(path, salvage.set_aside, problem);
    if (problem)
        throw make_error(Code::store, fmt::format("the damaged store {} cannot be moved away", path),
                         "move it away by hand; the next start fills a new one");
    for (const char* tail : {"-wal", "-shm"})
        if (std::filesystem::exists(path + tail, problem))
            std::filesystem::rename(path + tail, salvage.set_aside + tail, problem);
    adopt_made_anew(path);
    return salvage;
}

} // namespace himalaya::store
