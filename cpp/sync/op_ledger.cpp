#include "sync/op_ledger.hpp"

#include "base/log.hpp"
#include "base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace himalaya::sync {

namespace {

// A message whose name on the server is not known yet waits for the sync that brings it.
constexpr std::int64_t WAIT_FOR_A_NAME = 60;
// Messages that others marked as deleted stand in the way of an EXPUNGE without UIDPLUS.
constexpr std::int64_t WAIT_FOR_OTHERS = 900;

// An answer that makes no sense (BAD) may be a passing fault of the server: it is tried again after so many seconds, and
// refused when it is the same each time.
constexpr std::array<std::int64_t, 3> WAITS_FOR_SENSE = {60, 300, 900};

} // namespace

bool is_final(const Error& error) {
    switch (error.code) {
    case Code::not_found:
    case Code::unsupported:
    case Code::invalid:
    case Code::protocol:
        return true;
    default:
        return false;
    }
}

loop::Task<> Ledger::wait_for_others(const Group& group) {
    log::info("sync", "{}: others marked messages as deleted here; ours wait until those have gone",
              group.folder.path);
    return m_work.store->write_as_leader<void>(
        [ops = group.ops](store::Change& change) {
            for (const auto& op : ops)
                store::postpone(change, op.id, time::now_s() + WAIT_FOR_OTHERS);
        },
        m_work.token);
}

loop::Task<> Ledger::mark_sent(const Group& group, std::optional<std::int64_t> uidnext) {
    return m_work.store->write_as_leader<void>(
        [ops = group.ops, uidnext](store::Change& change) {
            for (const auto& op : ops)
                store::mark_sent(change, op.id, uidnext);
        },
        m_work.token);
}

loop::Task<> Ledger::finish(const Group& group, std::vector<Letter> letters, Names named) {
    m_result.carried += static_cast<std::int64_t>(letters.size());
    return m_work.store->write_as_leader<void>(
        [ops = group.ops, letters = std::move(letters), named = std::move(named)](store::Change& change) {
            std::map<std::int64_t, std::int64_t> names(named.begin(), named.end());
            for (const auto& letter : letters) {
                auto name = names.find(letter.uid);
                const auto& op = ops[letter.op];
                store::finish_target(change, op, op.targets[letter.target],
                                     name == names.end() ? std::nullopt : std::optional(name->second));
            }
        },
        m_work.token);
}

loop::Task<> Ledger::wait_for_names(std::vector<store::Op> ops) {
    if (ops.empty())
        co_return;
    m_result.waiting = true;
    auto waiting = m_work.store->write_as_leader<void>(
        [ops = std::move(ops)](store::Change& change) {
            for (const auto& op : ops)
                if (!store::finish_here(change, op))
                    store::postpone(change, op.id, time::now_s() + WAIT_FOR_A_NAME);
        },
        m_work.token);
    co_await waiting;
}

bool Ledger::may_wait_for_a_line(const Group& group) const {
    auto kind = group.ops.front().kind;
    return (kind == store::OpKind::append || kind == store::OpKind::flag) &&
           m_work.line_breakers->times(group.ops.front().id) > 0;
}

loop::Task<> Ledger::wait_for_a_line(Group group) {
    auto times = m_work.line_breakers->times(group.ops.front().id);
    log::warn("sync", "{}: the connection was lost {} times at the same change", group.folder.path, times);
    if (m_work.line_breakers->is_told())
        m_result.refused.push_back(
            "The connection is lost each time one of your changes is carried out; it waits, "
            "and is tried again later.");
    return m_work.store->write_as_leader<void>(
        [ops = std::move(group.ops), wait = LineBreakers::wait(times)](store::Change& change) {
            for (const auto& op : ops)
                store::postpone(change, op.id, time::now_s() + wait);
        },
        m_work.token);
}

loop::Task<> Ledger::take_refusal(Group group, Error error) {
    std::vector<store::Op> held;
    if (error.code == Code::protocol)
        for (const auto& op : group.ops)
            if (op.refusals < static_cast<int>(WAITS_FOR_SENSE.size()))
                held.push_back(op);
    if (!held.empty()) {
        log::warn("sync", "{}: {} Tried again later.", group.folder.path, error.message);
        std::erase_if(group.ops, [&](const store::Op& op) {
            return op.refusals < static_cast<int>(WAITS_FOR_SENSE.size());
        });
        auto holding = hold_back(std::move(held));
        co_await holding;
    }
    if (group.ops.empty())
        co_return;
    auto refusing = refuse(group, error);
    co_await refusing;
}

loop::Task<> Ledger::hold_back(std::vector<store::Op> ops) {
    return m_work.store->write_as_leader<void>(
        [ops = std::move(ops)](store::Change& change) {
            for (const auto& op : ops)
                store::hold_back(change, op.id,
                                 time::now_s() + WAITS_FOR_SENSE.at(static_cast<std::size_t>(op.refusals)));
        },
        m_work.token);
}

loop::Task<> Ledger::refuse(const Group& group, const Error& error) {
    auto what = store::name_of(group.ops.front().kind);
    m_result.refused.push_back(fmt::format(
        "The server refused to {} {} in {}: {}", what, group.letters.size() == 1 ? "a message" : "messages",
        group.folder.path.empty() ? "a folder" : group.folder.path, error.message));
    log::warn("sync", "{}", m_result.refused.back());
    return m_work.store->write_as_leader<void>(
        [ops = group.ops, why = error.message](store::Change& change) {
            for (const auto& op : ops)
                store::refuse(change, op, why);
        },
        m_work.token);
}

loop::Task<std::optional<std::int64_t>> Ledger::uidnext_of(const store::Folder& folder) {
    std::vector<std::string> remotes{folder.remote};
    auto asking = m_work.source->states(std::move(remotes), m_work.token);
    auto states = co_await asking;
    co_return states.at(0) ? states.at(0)->uidnext : std::nullopt;
}

loop::Task<std::map<std::int64_t, std::int64_t>> Ledger::find_made(const Group& group) {
    std::map<std::int64_t, std::int64_t> found;
    const auto& folder = group.target ? *group.target : group.folder;
    bool any = false;
    for (const auto& op : group.ops)
        any = any || op.uidnext;
    if (!any)
        co_return found;
    // Freshly: what came of it a moment ago must be seen.
    auto visiting = m_work.source->visit(folder.remote, Known::nothing(), true, m_work.token);
    auto visit = co_await visiting;
    UidSet spoken_for; // two messages with one Message-ID are two
    for (const auto& letter : group.letters) {
        auto first = group.ops[letter.op].uidnext;
        if (!first)
            continue;
        auto finding = visit->find(letter.sought, *first, m_work.token);
        auto uids = co_await finding;
        uids = uids.without(spoken_for);
        if (uids.empty())
            continue;
        found[letter.uid] = uids.min();
        spoken_for.add(uids.min());
    }
    co_return found;
}

} // namespace himalaya::sync
