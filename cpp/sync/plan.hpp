// What has to be done to a folder, from what the store knows and what the server says: a pure decision, so that every
// combination can be tested without a server.
#pragma once

#include "sync/source.hpp"

namespace himalaya::sync {

struct Local {
    std::optional<std::int64_t> uidvalidity;
    std::optional<std::int64_t> uidnext;
    std::int64_t modseq = 0;
    UidSet known;
    std::int64_t rows = 0; // messages here that the server has named
    std::optional<std::int64_t> server_total;
    std::optional<std::int64_t> server_unread;
    bool unnamed = false; // rows that the server ought to have named by now
};

enum class Look {
    none, // nothing can have changed
    open, // open it and see
    anew, // its UIDVALIDITY is another: what we know of UIDs is worth nothing
};

// `thorough`: a full sync, which also looks where a server without modseq cannot tell of flag changes.
Look look_at(const Local& local, const RemoteState& server, bool thorough);

// UIDs we know nothing of, newest first: a page at once, so that the screen has something to show, the rest in
// windows that one transaction each can hold.
std::vector<UidSet> windows_of(const UidSet& known, std::int64_t uidnext, std::int64_t page,
                               std::int64_t window);

// Deletions inferred from absence are believed up to a size; above it the user is asked.
struct Guard {
    static constexpr std::int64_t SMALL = 20;
    static bool asks(std::int64_t missing, std::int64_t rows) {
        return missing > SMALL && missing * 5 > rows;
    }
};

// Which folders the user wants: patterns, exclude wins, an empty include is all.
struct Selection {
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    bool wants(std::string_view path) const;
};
// `*` is anything, `%` anything up to the next level, `?` one character.
bool matches(std::string_view pattern, std::string_view path);

} // namespace himalaya::sync
