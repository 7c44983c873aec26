// What the user did, until the server knows it too. An action is one transaction: the op's row and the change
// that readers see at once. Rules (DESIGN's, in this file's words):
//   queued -> sent -> done, or failed with the server's word, which puts the rows back.
//   A `sent` op carries what is needed to recognise its result, so it is searched for before it is repeated.
//   Expunge for good waits ten seconds for `undo`.
#pragma once

#include "store/change.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace himalaya::store {

inline constexpr std::int64_t TIME_TO_UNDO_EXPUNGE = 10; // seconds

enum class OpKind { flag, move, copy, expunge, append };
std::string_view name_of(OpKind kind);

struct OpTarget {
    Id message = 0;                  // our row: the moved one, the copied one
    std::optional<std::int64_t> uid; // on the server, in the op's folder; empty while nobody has named it
    std::optional<Id> made;          // the row that a copy made
};

struct Op {
    Id id = 0;
    OpKind kind = OpKind::flag;
    std::string state;
    Id folder = 0;
    std::optional<Id> target;
    std::uint32_t add_flags = 0;
    std::uint32_t remove_flags = 0;
    std::string add_keywords;
    std::string remove_keywords;
    std::int64_t made_at = 0;
    std::int64_t not_before = 0;
    int refusals = 0;                    // answers that made no sense and may pass
    std::optional<std::int64_t> uidnext; // of the folder that receives, when it was sent
    std::vector<OpTarget> targets;       // the unfinished ones
};

struct FlagChange {
    std::uint32_t add = 0;
    std::uint32_t remove = 0;
    std::vector<std::string> add_keywords;
    std::vector<std::string> remove_keywords;
};

struct Author {
    std::string instance; // which Neovim: undo takes back its own last action only
    std::int64_t now = 0;
};

// The user's actions. Each throws Error{not_found} and changes nothing when an id is not in `folder`, returns
// the op's id, or 0 where nothing had to be done.
Id flag(Change& change, Id folder, std::span<const Id> messages, const FlagChange& wanted,
        const Author& author);
Id move(Change& change, Id folder, std::span<const Id> messages, Id target, const Author& author);
Id copy(Change& change, Id folder, std::span<const Id> messages, Id target, const Author& author);
Id expunge(Change& change, Id folder, std::span<const Id> messages, const Author& author);
// A message of our own making; its body is attached by the caller in the same change.
Id append(Change& change, Id folder, const Arrival& message, const Author& author, Id& row);
// Many at once, an op for each; returns their rows.
std::vector<Id> append_all(Change& change, Id folder, std::vector<Arrival> messages, const Author& author);

struct Undone {
    Id op = 0;
    OpKind kind = OpKind::flag;
    std::vector<Id> messages;
};
// Takes back the author's last action: before it was sent by forgetting it, after by its opposite. Nothing
// for an author who did nothing, or whose last action was undone.
std::optional<Undone> undo(Change& change, const Author& author);

// Where the server refused the text that this message is, which is here alone since; nothing when it is not such a
// one. With `before`: where that was before this op.
std::optional<Id> refused_in(Database& database, Id message, Id before = 0);

// For the engine that carries ops out.
std::vector<Op> ready_ops(Database& database, std::int64_t now, int most);
std::optional<Op> op_of(Database& database, Id op);
std::int64_t pending_ops(Database& database);
void mark_sent(Change& change, Id op, std::optional<std::int64_t> uidnext);
// One message of the op is as the user wished; `uid` is its name in the receiving folder where the server
// told it.
void finish_target(Change& change, const Op& op, const OpTarget& target, std::optional<std::int64_t> uid);
// The server calls a message `uid` in `folder`, where the op `after` brought it; whatever the user did to it there
// meanwhile, before it had a name, is for that name.
void name_message(Change& change, Id row, Id folder, std::int64_t uid, Id after);
// The server will not: the rows show again what the server has, and `why` stays with the op.
void refuse(Change& change, const Op& op, std::string_view why);
// What one message of an op needs is gone on the server: `row`, which the op made or moved, goes too (0: none).
void give_up_target(Change& change, Id op, Id message, Id row);
// What the user does to a text that the server never took is done here alone. Whether nothing of the op is left.
bool finish_here(Change& change, const Op& op);
// Back to the queue, to be tried again after `not_before`.
void postpone(Change& change, Id op, std::int64_t not_before);
// The same, and counted: the server's answer made no sense.
void hold_back(Change& change, Id op, std::int64_t not_before);

} // namespace himalaya::store
