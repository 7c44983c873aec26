// Which of the user's changes go out next, and which of them together: several like each other are one command, and
// nothing overtakes an earlier change of the same message.
#pragma once

#include "store/folders.hpp"
#include "store/ops.hpp"
#include "sync/source.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace himalaya::sync {

struct Letter {
    std::int64_t uid = 0; // of a new one, which has none: less than 0, and no other's
    Sought sought;
    std::size_t op = 0;     // which of the group
    std::size_t target = 0; // which of its targets
};

// Ops that go out together.
struct Group {
    std::vector<store::Op> ops;
    store::Folder folder;
    std::optional<store::Folder> target;
    std::vector<Letter> letters;
    bool nameless = false;
    bool sent_before = false;
};

// With how many like itself an op goes out at most; one that is not named here with as many as there are.
using Limits = std::map<store::Id, std::size_t>;

// The oldest that are ready and were not `tried`; nothing when there are none.
std::optional<Group> next_group(store::Database& database, std::int64_t now, const std::set<store::Id>& tried,
                                const Limits& limits);

// Some new letters of a group, as a group.
Group part_of(const Group& group, const std::vector<Letter>& letters);

UidSet uids_of(const std::vector<Letter>& letters);

} // namespace himalaya::sync
