#include "store/messages.hpp"

#include "base/text.hpp"
#include "store/bodies.hpp"
#include "store/ops.hpp"
#include "store/packing.hpp"
#include "store/threading.hpp"

#include <unordered_set>

namespace himalaya::store {

namespace {

// UIDs of a folder that an unfinished move or expunge of the user takes away.
std::unordered_set<std::int64_t> leaving_uids(Database& database, Id folder) {
    std::unordered_set<std::int64_t> uids;
    auto row = database.prepare("SELECT t.remote FROM op o JOIN op_target t ON t.op = o.id "
                                "WHERE o.state IN ('queued', 'sent') AND o.folder = ? AND o.kind = 'move' "
                                "AND t.done = 0 AND t.remote IS NOT NULL");
    row.bind(folder);
    while (row.step())
        uids.insert(row.integer(0));
    return uids;
}

bool has_nameless(Database& database, Id folder) {
    auto row = database.prepare("SELECT 1 FROM message WHERE folder = ? AND remote IS NULL LIMIT 1");
    return row.bind(folder).step();
}

// The row that waits here for the name the server now gives: the same Message-ID, or, without one, the same size and
// subject; and the same date, as letters that come every day differ in nothing else. Of several the nearest.
Id nameless_match(Database& database, Id folder, const Arrival& arrival) {
    auto hash = hash_of(arrival.message_id);
    if (hash != 0) {
        auto row = database.prepare("SELECT id FROM message WHERE folder = ?1 AND remote IS NULL "
                                    "AND message_hash = ?2 AND (sent IS ?4 OR sent IS NULL OR ?4 IS NULL) "
                                    "ORDER BY sent IS NOT ?4, size <> ?3, arrived <> ?5, id LIMIT 1");
        row.bind(folder, hash, arrival.size, arrival.sent, arrival.arrived);
        return row.step() ? row.integer(0) : 0;
    }
    auto row = database.prepare("SELECT id FROM message WHERE folder = ?1 AND remote IS NULL "
                                "AND message_hash IS NULL AND size = ?2 AND subject = ?3 AND sent IS ?4 "
                                "AND (?4 IS NOT NULL OR arrived = ?5) ORDER BY arrived <> ?5, id LIMIT 1");
    auto subject = text::clean_line(arrival.subject);
    row.bind(folder, arrival.size, subject, arrival.sent, arrival.arrived);
    return row.step() ? row.integer(0) : 0;
}

// Moves away from this folder that wait for the name of what they move: the user acted before the server had named
// it, or its UIDVALIDITY changed. True when the arrival is what one of them waits for: it is on its way out.
bool names_a_move(Change& change, Id folder, const Arrival& arrival) {
    auto& database = change.database();
    auto hash = hash_of(arrival.message_id);
    auto subject = text::clean_line(arrival.subject);
    auto row = database.prepare(
        "SELECT t.message FROM op o JOIN op_target t ON t.op = o.id JOIN message m ON m.id = t.message "
        "WHERE o.state IN ('queued', 'sent') AND o.folder = ?1 AND o.kind = 'move' AND t.done = 0 "
        "AND t.remote IS NULL AND ((?2 <> 0 AND m.message_hash = ?2 "
        "AND (m.sent IS ?5 OR m.sent IS NULL OR ?5 IS NULL)) OR "
        "(?2 = 0 AND m.message_hash IS NULL AND m.size = ?3 AND m.subject = ?4 AND m.sent IS ?5 "
        "AND (?5 IS NOT NULL OR m.arrived = ?6))) "
        // What brings it here has to be done first.
        "AND NOT EXISTS (SELECT 1 FROM op_target b JOIN op p ON p.id = b.op WHERE b.op < t.op AND b.done = 0 "
        "AND p.target = ?1 AND p.state IN ('queued', 'sent') "
        "AND (b.message = t.message AND p.kind <> 'copy' OR b.made = t.message)) "
        "ORDER BY m.sent IS NOT ?5, m.size <> ?3, m.arrived <> ?6, t.op LIMIT 1");
    row.bind(folder, hash, arrival.size, subject, arrival.sent, arrival.arrived);
    if (!row.step())
        return false;
    // For what the user did to it here before that move, too.
    name_message(change, row.integer(0), folder, arrival.uid, 0);
    return true;
}

bool moves_wait_for_names(Database& database, Id folder) {
    auto row = database.prepare("SELECT 1 FROM op o JOIN op_target t ON t.op = o.id "
                                "WHERE o.state IN ('queued', 'sent') AND o.folder = ? AND o.kind = 'move' "
                                "AND t.done = 0 AND t.remote IS NULL LIMIT 1");
    return row.bind(folder).step();
}

void set_server_flags(Change& change, Id message, std::uint32_t flags, const std::string& keywords) {
    auto set =
        change.database().prepare("UPDATE message SET server_flags = ?, server_keywords = ? WHERE id = ?");
    set.bind(flags & SERVER_FLAGS, keywords, message).run();
}

// A body is worth nothing for a message of another size: it is fetched anew.
void name_row(Change& change, Id message, const Arrival& arrival) {
    auto other = change.database().prepare("SELECT body FROM message WHERE id = ? AND size <> ?");
    if (other.bind(message, arrival.size).step())
        loosen_body(change, other.maybe_integer(0));
    auto name =
        change.database().prepare("UPDATE message SET remote = ?1, seq = ?2, "
                                  "body = CASE WHEN size = ?3 THEN body END, size = ?3 WHERE id = ?4");
    name.bind(arrival.uid, change.seq(), arrival.size, message).run();
}

Id insert(Change& change, Id folder, const Arrival& arrival) {
    auto& database = change.database();
    auto threaded = find_thread(change, arrival);
    auto id = change.next_message();
    auto thread = threaded.thread ? threaded.thread : id;
    keep_mentions(change, threaded, thread);

    auto keywords = pack_keywords(arrival.keywords);
    auto subject = text::clean_line(arrival.subject);
    auto name = text::clean_line(arrival.from.name);
    auto addr = text::clean_line(arrival.from.addr);
    auto recipients = pack_addresses(arrival.to);
    auto statement = database.prepare(
        "INSERT INTO message(id, folder, remote, arrived, flags, server_flags, thread, size, sent, subject, "
        "from_name, from_addr, keywords, server_keywords, recipients, message_id, message_hash, parent_hash, "
        "body, seq) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    auto maybe = [](std::int64_t value) { return value ? std::optional(value) : std::nullopt; };
    statement
        .bind(id, folder, maybe(arrival.uid), arrival.arrived, arrival.flags, arrival.flags & SERVER_FLAGS,
              thread, arrival.size, arrival.sent, subject, name, addr, keywords, keywords, recipients,
              arrival.message_id, maybe(threaded.message_hash), maybe(threaded.parent_hash),
              maybe(arrival.body), change.seq())
        .run();
    change.count(folder, arrival.arrived, 1, arrival.flags & SEEN ? 0 : 1);
    return id;
}

} // namespace

Shown shown_flags(Database& database, Id message, std::uint32_t server_flags,
                  std::string_view server_keywords) {
    Shown shown{server_flags, std::string(server_keywords)};
    auto op = database.prepare("SELECT o.add_flags, o.remove_flags, o.add_keywords, o.remove_keywords "
                               "FROM op_target t JOIN op o ON o.id = t.op WHERE t.message = ? AND t.done = 0 "
                               "AND o.kind = 'flag' AND o.state IN ('queued', 'sent') ORDER BY o.id");
    op.bind(message);
    while (op.step()) {
        shown.flags |= static_cast<std::uint32_t>(op.integer(0));
        shown.flags &= ~static_cast<std::uint32_t>(op.integer(1));
        shown.keywords = changed_keywords(shown.keywords, op.text(2), op.text(3));
    }
    return shown;
}

bool refresh_row(Change& change, Id message) {
    auto& database = change.database();
    auto row =
        database.prepare("SELECT folder, flags, keywords, server_flags, server_keywords, hidden, pending "
                         "FROM message WHERE id = ?");
    if (!row.bind(message).step())
        return false;
    auto folder = row.integer(0);
    auto before = static_cast<std::uint32_t>(row.integer(1));
    bool hidden = row.integer(5) != 0;
    auto server = static_cast<std::uint32_t>(row.integer(3));
    auto shown = row.integer(6) != 0 ? shown_flags(database, message, server, row.text(4))
                                     : Shown{server, row.string(4)};
    shown.flags = (shown.flags & SERVER_FLAGS) | (before & ~SERVER_FLAGS);
    if (shown.flags == before && shown.keywords == row.text(2))
        return false;
    auto set = database.prepare("UPDATE message SET flags = ?, keywords = ?, seq = ? WHERE id = ?");
    set.bind(shown.flags, shown.keywords, change.seq(), message).run();
    change.touch(folder);
    if (!hidden && (before & SEEN) != (shown.flags & SEEN))
        change.count_unread(folder, before & SEEN ? 1 : -1);
    return true;
}

Came bring_in(Change& change, Id folder, std::span<const Arrival> arrivals) {
    auto& database = change.database();
    Came came;
    auto leaving = leaving_uids(database, folder);
    bool nameless = has_nameless(database, folder);
    bool moves = moves_wait_for_names(database, folder);
    for (const auto& arrival : arrivals) {
        if (arrival.uid != 0) {
            if (leaving.contains(arrival.uid))
                continue;
            auto known = database.prepare("SELECT id FROM message WHERE folder = ? AND remote = ?");
            known.bind(folder, arrival.uid);
            Id row = known.step() ? known.integer(0) : 0;
            if (row == 0 && moves && names_a_move(change, folder, arrival))
                continue;
            if (row == 0 && nameless) {
                row = nameless_match(database, folder, arrival);
                if (row != 0)
                    name_row(change, row, arrival);
            }
            if (row != 0) {
                set_server_flags(change, row, arrival.flags, pack_keywords(arrival.keywords));
                came.updated += refresh_row(change, row) ? 1 : 0;
                if (arrival.body)
                    database.prepare("UPDATE message SET body = ? WHERE id = ? AND body IS NULL")
                        .bind(arrival.body, row)
                        .run();
                continue;
            }
        }
        came.fresh.push_back(insert(change, folder, arrival));
    }
    return came;
}

int bring_flags(Change& change, Id folder, std::span<const FlagNews> news) {
    auto& database = change.database();
    int changed = 0;
    for (const auto& item : news) {
        auto row = database.prepare("SELECT id, server_flags, server_keywords FROM message "
                                    "WHERE folder = ? AND remote = ?");
        if (!row.bind(folder, item.uid).step())
            continue;
        auto keywords = pack_keywords(item.keywords);
        auto flags = item.flags & SERVER_FLAGS;
        if (static_cast<std::uint32_t>(row.integer(1)) == flags && row.text(2) == keywords)
            continue;
        auto id = row.integer(0);
        set_server_flags(change, id, flags, keywords);
        changed += refresh_row(change, id) ? 1 : 0;
    }
    return changed;
}

void remove_row(Change& change, Id message) {
    auto& database = change.database();
    auto row =
        database.prepare("SELECT folder, arrived, flags, hidden, pending, body FROM message WHERE id = ?");
    if (!row.bind(message).step())
        return;
    auto folder = row.integer(0);
    if (row.integer(3) == 0)
        change.count(folder, row.integer(1), -1, row.integer(2) & SEEN ? 0 : -1);
    loosen_body(change, row.maybe_integer(5));
    database.prepare("DELETE FROM message WHERE id = ?").bind(message).run();
    if (row.integer(4) > 0) {
        // What was only queued for it has nothing left to do; what was sent is settled by its own reply, and so is a
        // copy, because of the row that it made.
        database
            .prepare("UPDATE op_target SET done = 1 WHERE message = ? AND op IN "
                     "(SELECT id FROM op WHERE state = 'queued' AND kind <> 'copy')")
            .bind(message)
            .run();
        database
            .prepare("UPDATE op SET state = 'done' WHERE state = 'queued' AND NOT EXISTS "
                     "(SELECT 1 FROM op_target t WHERE t.op = op.id AND t.done = 0)")
            .run();
    }
    change.left(message, folder);
}

int take_away(Change& change, Id folder, std::int64_t first, std::int64_t last,
              const std::function<bool(std::int64_t)>& each) {
    std::vector<Id> leaving;
    auto row = change.database().prepare(
        "SELECT id, remote FROM message WHERE folder = ? AND remote BETWEEN ? AND ?");
    row.bind(folder, first, last);
    while (row.step())
        if (each(row.integer(1)))
            leaving.push_back(row.integer(0));
    for (auto id : leaving)
        remove_row(change, id);
    return static_cast<int>(leaving.size());
}

int take_away(Change& change, Id folder, std::span<const std::int64_t> uids) {
    int left = 0;
    for (auto uid : uids)
        left += take_away(change, folder, uid, uid, [](std::int64_t) { return true; });
    return left;
}

void forget_names(Change& change, Id folder) {
    auto& database = change.database();
    database.prepare("UPDATE message SET remote = NULL WHERE folder = ?").bind(folder).run();
    database
        .prepare("UPDATE op_target SET remote = NULL WHERE done = 0 AND op IN "
                 "(SELECT id FROM op WHERE folder = ? AND state IN ('queued', 'sent'))")
        .bind(folder)
        .run();
}

namespace {

// Nobody brings them here any more and the server has not named them. A text of the user's own that the server did
// not take is not one of these.
constexpr std::string_view UNNAMED =
    "SELECT m.id FROM message m WHERE m.folder = ?1 AND m.remote IS NULL AND NOT EXISTS "
    "(SELECT 1 FROM op_target t JOIN op o ON o.id = t.op WHERE t.message = m.id AND (o.kind = 'append' AND "
    "o.state = 'failed' AND NOT EXISTS (SELECT 1 FROM op_target u JOIN op q ON q.id = u.op WHERE "
    "u.message = m.id AND q.kind = 'append' AND q.state <> 'undone' AND q.id > o.id) OR t.done = 0 AND "
    "o.target = ?1 AND o.state IN ('queued', 'sent') "
    "AND o.kind IN ('move', 'append'))) AND NOT EXISTS (SELECT 1 FROM op o JOIN op_target t ON t.op = o.id "
    "WHERE o.state IN ('queued', 'sent') AND t.made = m.id AND t.done = 0)";

// Changes of messages in this folder that have no name here, and none will get one: row in `message` of a move or a
// copy lies elsewhere.
constexpr std::string_view AIMLESS =
    "SELECT t.op, t.message, o.kind, coalesce(t.made, 0) FROM op o JOIN op_target t ON t.op = o.id "
    "LEFT JOIN message m ON m.id = t.message "
    "WHERE o.state IN ('queued', 'sent') AND o.folder = ?1 AND o.kind <> 'append' AND t.done = 0 "
    "AND t.remote IS NULL AND (o.kind = 'move' OR m.id IS NULL OR m.folder <> ?1) "
    "AND NOT EXISTS (SELECT 1 FROM op_target b JOIN op p ON p.id = b.op WHERE b.op < t.op AND b.done = 0 "
    "AND p.target = ?1 AND p.state IN ('queued', 'sent') "
    "AND (b.message = t.message AND p.kind <> 'copy' OR b.made = t.message))";

} // namespace

bool has_unnamed(Database& database, Id folder) {
    for (auto sql : {UNNAMED, AIMLESS}) {
        auto row = database.prepare(sql);
        if (row.bind(folder).step())
            return true;
    }
    return false;
}

Judged judge_nameless(Change& change, Id folder,
                      const std::function<bool(std::int64_t, std::int64_t)>& asks) {
    auto& database = change.database();
    std::vector<Id> missing;
    {
        auto row = database.prepare(UNNAMED);
        row.bind(folder);
        while (row.step())
            missing.push_back(row.integer(0));
    }
    struct Aimless {
        Id op, message, made;
        bool moved;
    };
    std::vector<Aimless> aimless;
    {
        auto row = database.prepare(AIMLESS);
        row.bind(folder);
        while (row.step())
            aimless.push_back({row.integer(0), row.integer(1), row.integer(3), row.text(2) == "move"});
    }
    std::int64_t rows = 0;
    {
        auto row = database.prepare("SELECT count(*) FROM message WHERE folder = ?");
        if (row.bind(folder).step())
            rows = row.integer(0);
    }
    auto count = static_cast<std::int64_t>(missing.size());
    for (const auto& one : aimless)
        count += one.moved ? 1 : 0;
    if (count > 0 && asks(count, rows))
        return {0, count, 0};
    for (auto id : missing)
        remove_row(change, id);
    for (const auto& one : aimless)
        give_up_target(change, one.op, one.message, one.moved ? one.message : one.made);
    return {count, 0, count - static_cast<std::int64_t>(missing.size())};
}

} // namespace himalaya::store
