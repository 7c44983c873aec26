#include "store/ops.hpp"

#include "store/messages.hpp"
#include "store/packing.hpp"

#include <fmt/format.h>

#include <array>
#include <map>

namespace himalaya::store {

namespace {

// In seconds. What is to wait for longer was put off before the clock was set back.
constexpr std::int64_t LONGEST_WAIT = 3'600;

constexpr std::array<std::string_view, 5> KINDS = {"flag", "move", "copy", "expunge", "append"};

OpKind kind_of(const Database& database, std::string_view name) {
    for (std::size_t i = 0; i < KINDS.size(); ++i)
        if (KINDS[i] == name)
            return static_cast<OpKind>(i);
    database.fail("read what waits for the server", SQLITE_CORRUPT);
}

Op read_op(const Database& database, const Statement& row) {
    Op op;
    op.id = row.integer(0);
    op.kind = kind_of(database, row.text(1));
    op.state = row.string(2);
    op.folder = row.integer(3);
    op.target = row.maybe_integer(4);
    op.add_flags = static_cast<std::uint32_t>(row.integer(5));
    op.remove_flags = static_cast<std::uint32_t>(row.integer(6));
    op.add_keywords = row.string(7);
    op.remove_keywords = row.string(8);
    op.made_at = row.integer(9);
    op.not_before = row.integer(10);
    op.refusals = static_cast<int>(row.integer(11));
    op.uidnext = row.maybe_integer(12);
    return op;
}

void read_targets(Database& database, Op& op) {
    auto row = database.prepare("SELECT t.message, t.made, "
                                "CASE WHEN ?2 IN ('move', 'append') OR m.folder <> ?3 THEN t.remote "
                                "ELSE coalesce(t.remote, m.remote) END "
                                "FROM op_target t LEFT JOIN message m ON m.id = t.message "
                                "WHERE t.op = ?1 AND t.done = 0 ORDER BY t.message");
    row.bind(op.id, name_of(op.kind), op.folder);
    while (row.step())
        op.targets.push_back({row.integer(0), row.maybe_integer(2), row.maybe_integer(1)});
}

void close_if_finished(Change& change, Id op) {
    change.database()
        .prepare("UPDATE op SET state = 'done' WHERE id = ?1 AND state <> 'failed' AND NOT EXISTS "
                 "(SELECT 1 FROM op_target WHERE op = ?1 AND done = 0)")
        .bind(op)
        .run();
}

void settle(Change& change, Id message) {
    change.database()
        .prepare("UPDATE message SET pending = max(pending - 1, 0), seq = ? WHERE id = ?")
        .bind(change.seq(), message)
        .run();
    refresh_row(change, message);
}

void finish(Change& change, Id op, Id message) {
    change.database()
        .prepare("UPDATE op_target SET done = 1 WHERE op = ? AND message = ?")
        .bind(op, message)
        .run();
}

// What the user did to a message after the move that now failed was done in a folder where it never came to
// be. That it was to go on from there ends with it.
void drop_later(Change& change, Id op, Id message, std::string_view also = "expunge") {
    auto& database = change.database();
    std::vector<Id> later;
    {
        auto row =
            database.prepare("SELECT t.op FROM op_target t JOIN op o ON o.id = t.op WHERE t.message = ? "
                             "AND t.op > ? AND t.done = 0 AND o.kind IN ('move', ?)");
        row.bind(message, op, also);
        while (row.step())
            later.push_back(row.integer(0));
    }
    for (auto id : later) {
        finish(change, id, message);
        settle(change, message);
        close_if_finished(change, id);
    }
}

// Flags and copies that the user asked for after the move that now failed are for the message where it is again. An
// op that is about others too is divided, and then those behind it are as well: their order holds.
void redirect_later(Change& change, const Op& failed, const std::map<Id, std::optional<std::int64_t>>& back) {
    auto& database = change.database();
    std::map<Id, std::vector<Id>> later; // by op
    for (const auto& [message, uid] : back) {
        auto row =
            database.prepare("SELECT t.op FROM op_target t JOIN op o ON o.id = t.op WHERE t.message = ? "
                             "AND t.op > ? AND t.done = 0 AND o.kind IN ('flag', 'copy')");
        row.bind(message, failed.id);
        while (row.step())
            later[row.integer(0)].push_back(message);
    }
    bool divided = false;
    for (const auto& [op, messages] : later) {
        auto others = database.prepare("SELECT count(*) FROM op_target WHERE op = ? AND done = 0");
        others.bind(op).step();
        divided = divided || others.integer(0) > static_cast<std::int64_t>(messages.size());
        Id now = op;
        if (divided) {
            database
                .prepare(
                    "INSERT INTO op(kind, state, folder, target, add_flags, remove_flags, add_keywords, "
                    "remove_keywords, made_at, instance) SELECT kind, state, folder, target, add_flags, "
                    "remove_flags, add_keywords, remove_keywords, made_at, instance FROM op WHERE id = ?")
                .bind(op)
                .run();
            now = database.last_id();
        }
        database.prepare("UPDATE op SET folder = ?, not_before = 0 WHERE id = ?")
            .bind(failed.folder, now)
            .run();
        for (auto message : messages)
            database.prepare("UPDATE op_target SET op = ?, remote = ? WHERE op = ? AND message = ?")
                .bind(now, back.at(message), op, message)
                .run();
        close_if_finished(change, op);
    }
}

// The text is the user's: it stays, and says by its pending mark that it is here alone. Where it was moved meanwhile the
// server may take it after all.
void offer_elsewhere(Change& change, const Op& refused, Id message) {
    auto& database = change.database();
    auto row = database.prepare("SELECT folder FROM message WHERE id = ?");
    if (!row.bind(message).step() || row.integer(0) == refused.folder)
        return;
    auto folder = row.integer(0);
    drop_later(change, refused.id, message, "");
    database.prepare("INSERT INTO op(kind, folder, target, made_at) VALUES('append', ?1, ?1, ?2)")
        .bind(folder, refused.made_at)
        .run();
    database
        .prepare("INSERT INTO op_target(op, message, flags_before, keywords_before) "
                 "SELECT ?, id, flags, keywords FROM message WHERE id = ?")
        .bind(database.last_id(), message)
        .run();
    auto there = refused;
    there.folder = folder;
    redirect_later(change, there, {{message, std::nullopt}});
}

} // namespace

std::string_view name_of(OpKind kind) {
    return KINDS[static_cast<std::size_t>(kind)];
}

std::vector<Op> ready_ops(Database& database, std::int64_t now, int most) {
    std::vector<Op> ops;
    {
        auto row = database.prepare(
            "SELECT id, kind, state, folder, target, add_flags, remove_flags, add_keywords, "
            "remove_keywords, made_at, not_before, tries, uidnext FROM op "
            "WHERE state IN ('queued', 'sent') AND (not_before <= ?1 OR not_before - ?1 > ?2) "
            "ORDER BY id LIMIT ?3");
        row.bind(now, LONGEST_WAIT, most);
        while (row.step())
            ops.push_back(read_op(database, row));
    }
    for (auto& op : ops)
        read_targets(database, op);
    return ops;
}

std::optional<Op> op_of(Database& database, Id id) {
    auto row =
        database.prepare("SELECT id, kind, state, folder, target, add_flags, remove_flags, add_keywords, "
                         "remove_keywords, made_at, not_before, tries, uidnext FROM op WHERE id = ?");
    if (!row.bind(id).step())
        return std::nullopt;
    auto op = read_op(database, row);
    read_targets(database, op);
    return op;
}

std::int64_t pending_ops(Database& database) {
    auto row = database.prepare("SELECT count(*) FROM op WHERE state IN ('queued', 'sent')");
    return row.step() ? row.integer(0) : 0;
}

void mark_sent(Change& change, Id op, std::optional<std::int64_t> uidnext) {
    change
        .database()
        // The first uidnext stays: what an earlier try made lies above it.
        .prepare("UPDATE op SET state = 'sent', uidnext = coalesce(uidnext, ?) WHERE id = ?")
        .bind(uidnext, op)
        .run();
}

void name_message(Change& change, Id row, Id folder, std::int64_t uid, Id after) {
    auto& database = change.database();
    // The user may have moved it on already: then the name is what that move needs, and not the row's.
    auto next = database.prepare("SELECT min(o.id) FROM op o JOIN op_target t ON t.op = o.id "
                                 "WHERE t.message = ? AND t.done = 0 AND t.remote IS NULL AND o.id > ? "
                                 "AND o.folder = ? AND o.kind = 'move' AND o.state IN ('queued', 'sent')");
    next.bind(row, after, folder);
    auto moved_on = next.step() ? next.maybe_integer(0) : std::nullopt;
    if (moved_on) {
        database
            .prepare("UPDATE op_target SET remote = ?1 WHERE message = ?2 AND done = 0 AND remote IS NULL "
                     "AND op > ?3 AND op <= ?4 AND op IN (SELECT id FROM op WHERE folder = ?5)")
            .bind(uid, row, after, *moved_on, folder)
            .run();
        database
            .prepare(
                "UPDATE op SET not_before = 0 WHERE id > ? AND id <= ? AND folder = ? AND kind <> 'expunge' "
                "AND id IN (SELECT op FROM op_target WHERE message = ? AND done = 0)")
            .bind(after, *moved_on, folder, row)
            .run();
    }
    auto taken = database.prepare("SELECT id FROM message WHERE folder = ? AND remote = ? AND id <> ?");
    taken.bind(folder, uid, row);
    // A sync was faster and brought it in as new mail: ours, which the user has seen, stays.
    if (Id twin = taken.step() ? taken.integer(0) : 0)
        remove_row(change, twin);
    if (!moved_on)
        database.prepare("UPDATE message SET remote = ? WHERE id = ? AND folder = ? AND remote IS NULL")
            .bind(uid, row, folder)
            .run();
}

void finish_target(Change& change, const Op& op, const OpTarget& target, std::optional<std::int64_t> uid) {
    auto& database = change.database();
    finish(change, op.id, target.message);
    // The row that the receiving folder shows: a move's own, a copy's twin.
    Id row = op.kind == OpKind::copy ? target.made.value_or(0) : target.message;
    if (op.kind == OpKind::expunge) {
        remove_row(change, target.message);
    } else {
        if (uid && op.kind != OpKind::flag)
            name_message(change, row, op.target.value_or(op.folder), *uid, op.id);
        if (op.kind == OpKind::flag) {
            // The server has these flags now, whether or not it tells us of it.
            auto flags = database.prepare("SELECT server_flags, server_keywords FROM message WHERE id = ?");
            if (flags.bind(row).step()) {
                auto server =
                    (static_cast<std::uint32_t>(flags.integer(0)) | op.add_flags) & ~op.remove_flags;
                auto keywords = changed_keywords(flags.text(1), op.add_keywords, op.remove_keywords);
                database.prepare("UPDATE message SET server_flags = ?, server_keywords = ? WHERE id = ?")
                    .bind(server, keywords, row)
                    .run();
            }
        }
        settle(change, row);
    }
    close_if_finished(change, op.id);
}

void refuse(Change& change, const Op& op, std::string_view why) {
    auto& database = change.database();
    database.prepare("UPDATE op SET state = 'failed', error = ? WHERE id = ?").bind(why, op.id).run();
    std::map<Id, std::optional<std::int64_t>> back;
    for (const auto& target : op.targets) {
        finish(change, op.id, target.message);
        switch (op.kind) {
        case OpKind::flag:
            settle(change, target.message);
            break;
        case OpKind::copy:
            remove_row(change, target.made.value_or(0));
            break;
        case OpKind::move: {
            auto row = database.prepare("SELECT folder, arrived, flags, hidden FROM message WHERE id = ?");
            if (!row.bind(target.message).step())
                break;
            auto from = row.integer(0);
            auto unread = row.integer(2) & SEEN ? 0 : 1;
            // Deleted for good there: not counted any more, and not to go with a move that never was.
            if (row.integer(3) == 0)
                change.count(from, row.integer(1), -1, -unread);
            change.count(op.folder, row.integer(1), 1, unread);
            change.left(target.message, from);
            database.prepare("UPDATE message SET folder = ?, remote = ?, hidden = 0 WHERE id = ?")
                .bind(op.folder, target.uid, target.message)
                .run();
            drop_later(change, op.id, target.message);
            settle(change, target.message);
            back.emplace(target.message, target.uid);
            break;
        }
        case OpKind::expunge: {
            auto row = database.prepare("SELECT arrived, flags FROM message WHERE id = ? AND hidden = 1");
            if (row.bind(target.message).step())
                change.count(op.folder, row.integer(0), 1, row.integer(1) & SEEN ? 0 : 1);
            database.prepare("UPDATE message SET hidden = 0 WHERE id = ?").bind(target.message).run();
            settle(change, target.message);
            break;
        }
        case OpKind::append:
            offer_elsewhere(change, op, target.message);
            break;
        }
    }
    redirect_later(change, op, back);
}

void give_up_target(Change& change, Id op, Id message, Id row) {
    finish(change, op, message);
    auto nameless = change.database().prepare("SELECT 1 FROM message WHERE id = ? AND remote IS NULL");
    if (row == 0)
        settle(change, message);
    else if (nameless.bind(row).step())
        remove_row(change, row);
    else
        settle(change, row); // the server has named it since: it is where it should be
    close_if_finished(change, op);
}

std::optional<Id> refused_in(Database& database, Id message, Id before) {
    auto row =
        database.prepare("SELECT o.folder, o.state FROM op o JOIN op_target t ON t.op = o.id "
                         "JOIN message m ON m.id = t.message WHERE t.message = ?1 AND o.kind = 'append' "
                         "AND o.state <> 'undone' AND (?2 = 0 AND m.remote IS NULL OR o.id < ?2) "
                         "ORDER BY o.id DESC LIMIT 1");
    if (!row.bind(message, before).step() || row.text(1) != "failed")
        return std::nullopt;
    return row.integer(0);
}

bool finish_here(Change& change, const Op& op) {
    bool whole = true;
    for (const auto& target : op.targets) {
        if (target.uid || !refused_in(change.database(), target.message))
            whole = false;
        else if (op.kind == OpKind::copy)
            give_up_target(change, op.id, target.message, target.made.value_or(0));
        else
            finish_target(change, op, target, std::nullopt);
    }
    return whole;
}

void postpone(Change& change, Id op, std::int64_t not_before) {
    change.database().prepare("UPDATE op SET not_before = ? WHERE id = ?").bind(not_before, op).run();
}

void hold_back(Change& change, Id op, std::int64_t not_before) {
    change.database()
        .prepare("UPDATE op SET not_before = ?, tries = tries + 1 WHERE id = ?")
        .bind(not_before, op)
        .run();
}

} // namespace himalaya::store
