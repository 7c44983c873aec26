// What the tests of waiting changes do again and again: act, carry out, judge.
#pragma once

#include "mailbox.hpp"

namespace himalaya::store {

template<class Action>
auto in_change(Mailbox& box, Action action) {
    Change change(box.database);
    auto result = action(change);
    change.commit();
    return result;
}

inline void move_to(Mailbox& box, Id from, Id message, Id to) {
    in_change(box, [&](Change& change) { return move(change, from, std::span(&message, 1), to, box.me); });
}

inline std::vector<Op> ops(Mailbox& box) {
    return ready_ops(box.database, INT64_MAX, 10);
}

inline void finish(Mailbox& box, const Op& op, std::optional<std::int64_t> uid = {}) {
    in_change(box, [&](Change& change) {
        for (const auto& target : op.targets)
            finish_target(change, op, target, uid);
        return 0;
    });
}

// What a sync that was told of all of a folder says at its end.
inline std::int64_t judge(Mailbox& box, Id folder) {
    return in_change(box, [&](Change& change) {
        return judge_nameless(change, folder, [](std::int64_t, std::int64_t) { return false; }).left;
    });
}

} // namespace himalaya::store
