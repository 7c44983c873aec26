// What a source tells of messages, brought into the store: they come, their flags change, they go. The user's
// own changes that the server has not seen yet (op.hpp) stay on top of all of it.
#pragma once

#include "store/change.hpp"

#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace himalaya::store {

struct Came {
    std::vector<Id> fresh; // rows that are new to readers, in the order given
    int updated = 0;       // known before, with other flags now
};

// Messages with their envelopes. One that is known already only has its flags brought up to date; one that
// the user moved, copied or wrote here, and that the server now names, keeps its row; one that is on its way
// out by an op of the user is not brought back.
Came bring_in(Change& change, Id folder, std::span<const Arrival> arrivals);

struct FlagNews {
    std::int64_t uid = 0;
    std::uint32_t flags = 0;
    std::vector<std::string> keywords;
};
// Returns how many messages look different now.
int bring_flags(Change& change, Id folder, std::span<const FlagNews> news);

// The server says these are gone (EXPUNGE, VANISHED) or a guarded diff found it. `each` is asked for every
// UID of the folder in [first, last]; those it says yes to leave. Returns how many left.
int take_away(Change& change, Id folder, std::int64_t first, std::int64_t last,
              const std::function<bool(std::int64_t uid)>& each);
// Named ones, for short lists.
int take_away(Change& change, Id folder, std::span<const std::int64_t> uids);
// One row, wherever it is; its unfinished ops lose it as a target.
void remove_row(Change& change, Id message);

// A folder that was made anew on the server: its rows lose their names there, and get new ones from bring_in().
void forget_names(Change& change, Id folder);
// Once all of the folder was told of: rows that got no name are gone on the server, and so is what the user wanted done
// to them. `asks(missing, rows)` says whether that is too much to be believed.
struct Judged {
    std::int64_t left = 0;     // messages
    std::int64_t withheld = 0; // that wait for the user's word
    std::int64_t unmoved =
        0; // of those that left, how many the user had moved away and nobody can find any more
};
Judged judge_nameless(Change& change, Id folder,
                      const std::function<bool(std::int64_t missing, std::int64_t rows)>& asks);

// Whether there is anything to judge: the folder has to be looked at.
bool has_unnamed(Database& database, Id folder);

// The flags that readers see: the server's, with the unfinished ops of the user applied in their order.
struct Shown {
    std::uint32_t flags = 0;
    std::string keywords;
};
Shown shown_flags(Database& database, Id message, std::uint32_t server_flags,
                  std::string_view server_keywords);
// Writes them where they differ from the row's; true when they did.
bool refresh_row(Change& change, Id message);

} // namespace himalaya::store
