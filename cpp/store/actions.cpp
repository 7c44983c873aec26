// The user's side of ops.hpp: an op's row and what readers see of it at once, and the way back.
#include "store/ops.hpp"

#include "store/messages.hpp"
#include "store/packing.hpp"

#include <set>

namespace himalaya::store {

namespace {

struct Here {
    Id id;
    std::int64_t arrived;
    std::uint32_t flags;
    std::optional<std::int64_t> uid;
    std::string keywords;
};

// The messages as they stand in `folder`; an id that is not there is an error, never another message.
std::vector<Here> in_folder(Database& database, Id folder, std::span<const Id> messages) {
    std::vector<Here> here;
    std::set<Id> met;
    for (auto id : messages) {
        if (!met.insert(id).second)
            continue; // named twice
        auto row = database.prepare("SELECT arrived, flags, remote, keywords FROM message "
                                    "WHERE id = ? AND folder = ? AND hidden = 0");
        if (!row.bind(id, folder).step())
            throw make_error(Code::not_found, "that message is not in this folder any more",
                             "refresh the list (:HimalayaRefresh)");
        here.push_back({id, row.integer(0), static_cast<std::uint32_t>(row.integer(1)), row.maybe_integer(2),
                        row.string(3)});
    }
    return here;
}

Id write_op(Change& change, OpKind kind, Id folder, std::optional<Id> target, const FlagChange& flags,
            const Author& author, std::int64_t not_before) {
    auto& database = change.database();
    auto add = pack_keywords(flags.add_keywords);
    auto remove = pack_keywords(flags.remove_keywords);
    auto op = database.prepare(
        "INSERT INTO op(kind, folder, target, add_flags, remove_flags, add_keywords, "
        "remove_keywords, made_at, not_before, instance) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    op.bind(name_of(kind), folder, target, flags.add, flags.remove, add, remove, author.now, not_before,
            author.instance)
        .run();
    return database.last_id();
}

void write_target(Change& change, Id op, const Here& message, std::optional<Id> made = {}) {
    auto target = change.database().prepare("INSERT INTO op_target(op, message, remote, made, flags_before, "
                                            "keywords_before) VALUES(?, ?, ?, ?, ?, ?)");
    target.bind(op, message.id, message.uid, made, message.flags, message.keywords).run();
}

void mark_pending(Change& change, Id message) {
    change.database()
        .prepare("UPDATE message SET pending = pending + 1, seq = ? WHERE id = ?")
        .bind(change.seq(), message)
        .run();
}

int unread(const Here& message) {
    return message.flags & SEEN ? 0 : 1;
}

void put_into(Change& change, const Here& message, Id from, Id to, std::optional<std::int64_t> uid) {
    change.count(from, message.arrived, -1, -unread(message));
    change.count(to, message.arrived, 1, unread(message));
    change.left(message.id, from);
    change.database()
        .prepare("UPDATE message SET folder = ?, remote = ?, seq = ? WHERE id = ?")
        .bind(to, uid, change.seq(), message.id)
        .run();
}

void put_back(Change& change, Id id, Id folder) {
    auto row = change.database().prepare(
        "SELECT folder, arrived, flags, remote, keywords FROM message WHERE id = ?");
    if (!row.bind(id).step() || row.integer(0) == folder)
        return;
    Here message{id, row.integer(1), static_cast<std::uint32_t>(row.integer(2)), row.maybe_integer(3),
                 row.string(4)};
    put_into(change, message, row.integer(0), folder, std::nullopt);
}

bool changes_anything(const Here& message, const FlagChange& wanted) {
    if ((wanted.add & ~message.flags) || (wanted.remove & message.flags))
        return true;
    auto keywords = changed_keywords(message.keywords, pack_keywords(wanted.add_keywords),
                                     pack_keywords(wanted.remove_keywords));
    return keywords != message.keywords;
}

} // namespace

Id flag(Change& change, Id folder, std::span<const Id> messages, const FlagChange& wanted,
        const Author& author) {
    auto here = in_folder(change.database(), folder, messages);
    std::erase_if(here, [&](const Here& message) { return !changes_anything(message, wanted); });
    if (here.empty())
        return 0;
    auto op = write_op(change, OpKind::flag, folder, {}, wanted, author, 0);
    for (const auto& message : here) {
        write_target(change, op, message);
        mark_pending(change, message.id);
        refresh_row(change, message.id);
    }
    change.touch(folder);
    return op;
}

Id move(Change& change, Id folder, std::span<const Id> messages, Id target, const Author& author) {
    auto here = in_folder(change.database(), folder, messages);
    if (folder == target || here.empty())
        return 0;
    Id last = 0;
    std::erase_if(here, [&](const Here& message) {
        if (!refused_in(change.database(), message.id))
            return false;
        // The server never took this text: it is offered anew, for the other folder.
        last = write_op(change, OpKind::append, target, target, {}, author, 0);
        write_target(change, last, message);
        put_into(change, message, folder, target, std::nullopt);
        return true;
    });
    if (here.empty())
        return last;
    auto op = write_op(change, OpKind::move, folder, target, {}, author, 0);
    for (const auto& message : here) {
        write_target(change, op, message);
        put_into(change, message, folder, target, std::nullopt);
        mark_pending(change, message.id);
    }
    return op;
}

Id copy(Change& change, Id folder, std::span<const Id> messages, Id target, const Author& author) {
    if (messages.empty())
        return 0;
    auto& database = change.database();
    auto here = in_folder(database, folder, messages);
    auto op = write_op(change, OpKind::copy, folder, target, {}, author, 0);
    for (const auto& message : here) {
        auto made = change.next_message();
        auto twin = database.prepare(
            "INSERT INTO message(id, folder, remote, arrived, flags, server_flags, pending, thread, size, "
            "sent, "
            "subject, from_name, from_addr, keywords, server_keywords, recipients, message_id, message_hash, "
            "parent_hash, body, seq) SELECT ?, ?, NULL, arrived, flags, server_flags, 1, thread, size, sent, "
            "subject, "
            "from_name, from_addr, keywords, server_keywords, recipients, message_id, message_hash, "
            "parent_hash, "
            "body, ? FROM message WHERE id = ?");
        twin.bind(made, target, change.seq(), message.id).run();
        change.count(target, message.arrived, 1, unread(message));
        write_target(change, op, message, made);
    }
    return op;
}

Id expunge(Change& change, Id folder, std::span<const Id> messages, const Author& author) {
    if (messages.empty())
        return 0;
    auto here = in_folder(change.database(), folder, messages);
    auto op = write_op(change, OpKind::expunge, folder, {}, {}, author, author.now + TIME_TO_UNDO_EXPUNGE);
    for (const auto& message : here) {
        write_target(change, op, message);
        change.database().prepare("UPDATE message SET hidden = 1 WHERE id = ?").bind(message.id).run();
        mark_pending(change, message.id);
        change.count(folder, message.arrived, -1, -unread(message));
        change.left(message.id, folder);
    }
    return op;
}

std::vector<Id> append_all(Change& change, Id folder, std::vector<Arrival> messages, const Author& author) {
    for (auto& message : messages)
        message.uid = 0;
    auto rows = bring_in(change, folder, messages).fresh;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& message = messages[i];
        mark_pending(change, rows[i]);
        auto op = write_op(change, OpKind::append, folder, folder, {}, author, 0);
        write_target(change, op,
                     {rows[i], message.arrived, message.flags, {}, pack_keywords(message.keywords)});
    }
    return rows;
}

Id append(Change& change, Id folder, const Arrival& message, const Author& author, Id& row) {
    row = append_all(change, folder, {message}, author).at(0);
    auto op = change.database().prepare("SELECT op FROM op_target WHERE message = ?");
    return op.bind(row).step() ? op.integer(0) : 0;
}

namespace {

bool has_left(Database& database, const Op& op) {
    auto row = database.prepare("SELECT 1 FROM op_target t JOIN message m ON m.id = t.message "
                                "WHERE t.op = ? AND m.folder <> ?");
    return row.bind(op.id, op.folder).step();
}

// Not sent yet: as if it had never been.
void forget(Change& change, const Op& op) {
    auto& database = change.database();
    if (op.kind == OpKind::append && has_left(database, op)) {
        // Another Neovim moved it on: there is nothing to take back here.
        database.prepare("UPDATE op SET instance = '' WHERE id = ?").bind(op.id).run();
        return;
    }
    refuse(change, op, "");
    database.prepare("UPDATE op SET state = 'undone' WHERE id = ?").bind(op.id).run();
    if (op.kind != OpKind::append)
        return;
    for (const auto& target : op.targets)
        if (auto from = refused_in(database, target.message))
            put_back(change, target.message, *from);
        else
            remove_row(change, target.message);
}

// Done, or on its way: the opposite, as a new op of the same author.
void oppose(Change& change, const Op& op, const std::vector<Id>& messages, const Author& author) {
    auto& database = change.database();
    database
        .prepare("UPDATE op SET state = CASE WHEN state = 'done' THEN 'undone' ELSE state END, instance = '' "
                 "WHERE id = ?")
        .bind(op.id)
        .run();
    Author nobody{"", author.now}; // an undo is not itself undone
    for (auto id : messages) {
        auto here = database.prepare(
            "SELECT t.flags_before, t.keywords_before, t.made, m.folder, m.flags, m.keywords "
            "FROM op_target t JOIN message m ON m.id = coalesce(t.made, t.message) "
            "WHERE t.op = ? AND t.message = ?");
        if (!here.bind(op.id, id).step())
            continue;
        auto folder = here.integer(3);
        switch (op.kind) {
        case OpKind::flag: {
            auto before = static_cast<std::uint32_t>(here.integer(0)) & SERVER_FLAGS;
            auto touched = op.add_flags | op.remove_flags;
            FlagChange back{before & touched, ~before & touched, {}, {}};
            auto keywords_before = here.string(1);
            for (auto& keyword : unpack_keywords(op.add_keywords))
                if (changed_keywords(keywords_before, keyword, "") != keywords_before)
                    back.remove_keywords.push_back(keyword);
            for (auto& keyword : unpack_keywords(op.remove_keywords))
                if (changed_keywords(keywords_before, "", keyword) != keywords_before)
                    back.add_keywords.push_back(keyword);
            flag(change, folder, std::span(&id, 1), back, nobody);
            break;
        }
        case OpKind::move:
            move(change, folder, std::span(&id, 1), op.folder, nobody);
            break;
        case OpKind::copy: {
            auto made = here.integer(2);
            expunge(change, folder, std::span(&made, 1), nobody);
            break;
        }
        case OpKind::append:
            if (auto from = refused_in(database, id, op.id))
                move(change, folder, std::span(&id, 1), *from, nobody);
            else
                expunge(change, folder, std::span(&id, 1), nobody);
            break;
        case OpKind::expunge: // what the server has expunged cannot come back
            break;
        }
    }
}

} // namespace

std::optional<Undone> undo(Change& change, const Author& author) {
    auto& database = change.database();
    Id last = 0;
    {
        auto row =
            database.prepare("SELECT id FROM op WHERE instance = ? AND state IN ('queued', 'sent', 'done') "
                             "ORDER BY id DESC LIMIT 1");
        if (author.instance.empty() || !row.bind(author.instance).step())
            return std::nullopt;
        last = row.integer(0);
    }
    auto op = *op_of(database, last);
    Undone undone{op.id, op.kind, {}};
    {
        auto row = database.prepare("SELECT message FROM op_target WHERE op = ? ORDER BY message");
        row.bind(last);
        while (row.step())
            undone.messages.push_back(row.integer(0));
    }
    if (op.kind == OpKind::expunge && op.state != "queued")
        throw make_error(Code::unsupported, "the last action deleted for good and the server has done it",
                         "undo within ten seconds next time, or restore from the server's backup");
    if (op.state == "queued" && op.targets.size() == undone.messages.size())
        forget(change, op);
    else
        oppose(change, op, undone.messages, author);
    return undone;
}

} // namespace himalaya::store
