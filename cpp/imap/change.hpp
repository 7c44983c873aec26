// What changes the server: flags, copies, moves, deletions, new messages. The folder is selected and its UIDVALIDITY
// checked before anything is sent, never in the same breath; a plain EXPUNGE, which takes other programs' marked
// messages too, is only used when there are none.
#pragma once

#include "imap/folder.hpp"
#include "imap/session.hpp"

#include <string>
#include <vector>

namespace himalaya::imap {

struct Target {
    std::string folder;
    UidSet uids;
    std::optional<uint32_t> uid_validity; // Error{uidvalidity} when the folder has another one
    Priority priority = Priority::user;
};

struct StoreChange {
    std::vector<std::string> add, remove; // \Seen, $Forwarded, ...
    std::optional<uint64_t> unchanged_since;
};

struct StoreResult {
    UidSet modified; // changed meanwhile by somebody else, so not by us (CONDSTORE)
};

loop::Task<StoreResult> store(std::shared_ptr<Session> session, Target target, StoreChange change,
                              loop::CancelToken token);

// Many changes in one folder, in one breath (`target.uids` is not looked at). For each nothing, or why it was refused.
struct StorePart {
    UidSet uids;
    StoreChange change;
};
loop::Task<std::vector<std::optional<Error>>> store_all(std::shared_ptr<Session> session, Target target,
                                                        std::vector<StorePart> parts,
                                                        loop::CancelToken token);

struct CopyResult {
    uint32_t uid_validity = 0;  // of the target; 0: the server did not say
    std::vector<UidPair> pairs; // old and new UID, one by one
    bool expunged = true;       // move: false when the old ones could only be marked as deleted
};

loop::Task<CopyResult> copy(std::shared_ptr<Session> session, Target target, std::string to,
                            loop::CancelToken token);
loop::Task<CopyResult> move(std::shared_ptr<Session> session, Target target, std::string to,
                            loop::CancelToken token);

// Gone for good. False when the server has no UID EXPUNGE and other messages are marked as well: then ours stay
// marked.
loop::Task<bool> expunge(std::shared_ptr<Session> session, Target target, loop::CancelToken token);

struct NewMessage {
    std::string bytes; // CRLF line ends
    std::vector<std::string> flags;
    std::string internal_date; // "01-Feb-2024 10:00:00 +0100"; empty: now
};

struct AppendResult {
    uint32_t uid_validity = 0;  // 0: the server did not say
    std::vector<uint32_t> uids; // one by one, or empty
};

// All or nothing where the server has MULTIAPPEND, else one after the other; the error then tells how many are there.
loop::Task<AppendResult> append(std::shared_ptr<Session> session, std::string folder,
                                std::vector<NewMessage> messages, loop::CancelToken token);

// What became of several messages, each for itself.
struct Appended {
    struct One {
        std::optional<uint32_t> uid; // where the server told it
        std::optional<Error> refused;
    };
    std::vector<One> messages;
    bool together =
        false; // one command: whoever is refused then has only shared it with the one that was meant
};

// All in one breath: a single command where the server has MULTIAPPEND (none of a refused one is stored), else a
// command for each, none of which waits for another's answer.
loop::Task<Appended> append_all(std::shared_ptr<Session> session, std::string folder,
                                std::vector<NewMessage> messages, loop::CancelToken token);

// CREATE, for a copy's or an append's missing target.
loop::Task<void> create(std::shared_ptr<Session> session, std::string folder, loop::CancelToken token);

} // namespace himalaya::imap
