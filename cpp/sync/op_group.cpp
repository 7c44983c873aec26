#include "sync/op_group.hpp"

#include <algorithm>
#include <cstdint>

namespace himalaya::sync {

namespace {

constexpr int OPS_AT_A_TIME = 2'000;
// New messages that go out together: what a broken line leaves in doubt is searched for one by one, and they are in
// memory until they are sent.
constexpr std::size_t LETTERS_AT_A_TIME = 50;
constexpr std::int64_t BYTES_AT_A_TIME = 2 << 20;

bool alike(const store::Op& a, const store::Op& b) {
    // Changes of flags are summed up.
    if (a.kind == store::OpKind::flag && b.kind == a.kind)
        return a.folder == b.folder;
    return a.kind == b.kind && a.folder == b.folder && a.target == b.target && a.state == b.state &&
           a.add_flags == b.add_flags && a.remove_flags == b.remove_flags &&
           a.add_keywords == b.add_keywords && a.remove_keywords == b.remove_keywords;
}

// Two changes of one message never share a command, so that their order holds.
bool share_a_message(const Group& group, const store::Op& op) {
    if (op.kind == store::OpKind::flag)
        return false;
    for (const auto& other : group.ops)
        for (const auto& mine : other.targets)
            for (const auto& target : op.targets)
                if (mine.message == target.message)
                    return true;
    return false;
}

// Whether what the user did before to one of its messages is still to come: nothing overtakes that.
bool has_to_wait(store::Database& database, const Group& group, const store::Op& op) {
    for (const auto& target : op.targets) {
        auto row =
            database.prepare("SELECT o.id FROM op_target t JOIN op o ON o.id = t.op WHERE t.message = ? "
                             "AND t.op < ? AND t.done = 0 AND o.state IN ('queued', 'sent')");
        row.bind(target.message, op.id);
        while (row.step())
            if (std::none_of(group.ops.begin(), group.ops.end(),
                             [&](const store::Op& mine) { return mine.id == row.integer(0); }))
                return true;
    }
    return false;
}

std::int64_t size_of(store::Database& database, const store::Op& op) {
    auto row = database.prepare("SELECT size FROM message WHERE id = ?");
    return !op.targets.empty() && row.bind(op.targets[0].message).step() ? row.integer(0) : 0;
}

} // namespace

std::optional<Group> next_group(store::Database& database, std::int64_t now, const std::set<store::Id>& tried,
                                const Limits& limits) {
    Group group;
    std::int64_t bytes = 0;
    auto limit_of = [&](const store::Op& op) {
        auto found = limits.find(op.id);
        return found == limits.end() ? SIZE_MAX : found->second;
    };
    for (auto& op : store::ready_ops(database, now, OPS_AT_A_TIME)) {
        if (tried.contains(op.id) || has_to_wait(database, group, op))
            continue;
        if (!group.ops.empty() && (!alike(group.ops.front(), op) || share_a_message(group, op)))
            break;
        auto limit = limit_of(op);
        if (!group.ops.empty() && (limit != limit_of(group.ops.front()) || group.ops.size() >= limit))
            break;
        if (op.kind == store::OpKind::append) {
            bytes += size_of(database, op);
            if (!group.ops.empty() && (group.ops.size() >= LETTERS_AT_A_TIME || bytes > BYTES_AT_A_TIME))
                break;
        }
        group.ops.push_back(std::move(op));
    }
    if (group.ops.empty())
        return std::nullopt;
    const auto& first = group.ops.front();
    group.sent_before = first.state == "sent";
    auto folder = store::folder_of(database, first.folder);
    if (!folder || store::is_gone(database, folder->id))
        return group; // without a folder it is refused
    group.folder = *folder;
    if (first.target && !store::is_gone(database, *first.target))
        group.target = store::folder_of(database, *first.target);
    for (std::size_t i = 0; i < group.ops.size(); ++i)
        for (std::size_t j = 0; j < group.ops[i].targets.size(); ++j) {
            const auto& target = group.ops[i].targets[j];
            auto row = database.prepare("SELECT message_id, size, subject FROM message WHERE id = ?");
            Sought sought;
            if (row.bind(target.message).step())
                sought = {row.string(0), row.integer(1), row.string(2)};
            if (!target.uid && first.kind != store::OpKind::append)
                group.nameless = true;
            else
                group.letters.push_back({target.uid.value_or(-group.ops[i].id), std::move(sought), i, j});
        }
    return group;
}

Group part_of(const Group& group, const std::vector<Letter>& letters) {
    Group part;
    part.folder = group.folder;
    part.target = group.target;
    part.sent_before = group.sent_before;
    for (const auto& letter : letters) {
        part.letters.push_back(letter);
        part.letters.back().op = part.ops.size();
        part.ops.push_back(group.ops[letter.op]);
    }
    return part;
}

UidSet uids_of(const std::vector<Letter>& letters) {
    UidSet uids;
    for (const auto& letter : letters)
        uids.add(static_cast<std::uint32_t>(letter.uid));
    return uids;
}

} // namespace himalaya::sync
