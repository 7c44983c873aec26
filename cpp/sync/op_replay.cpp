#include "sync/op_replay.hpp"

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/folders.hpp"
#include "sync/flag_wishes.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace himalaya::sync {

namespace {

constexpr int OPS_AT_A_TIME = 2'000;
// A message whose name on the server is not known yet waits for the sync that brings it.
constexpr std::int64_t WAIT_FOR_A_NAME = 60;

struct Letter {
    std::int64_t uid = 0;
    std::string message_id;
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

bool alike(const store::Op& a, const store::Op& b) {
    // Changes of flags are summed up.
    if (a.kind == store::OpKind::flag && b.kind == a.kind)
        return a.folder == b.folder;
    return a.kind == b.kind && a.kind != store::OpKind::append && a.folder == b.folder &&
           a.target == b.target && a.state == b.state && a.add_flags == b.add_flags &&
           a.remove_flags == b.remove_flags && a.add_keywords == b.add_keywords &&
           a.remove_keywords == b.remove_keywords;
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

std::optional<Group> next_group(store::Database& database, std::int64_t now,
                                const std::set<store::Id>& tried) {
    Group group;
    for (auto& op : store::ready_ops(database, now, OPS_AT_A_TIME)) {
        if (tried.contains(op.id))
            continue;
        if (!group.ops.empty() && (!alike(group.ops.front(), op) || share_a_message(group, op)))
            break;
        group.ops.push_back(std::move(op));
    }
    if (group.ops.empty())
        return std::nullopt;
    const auto& first = group.ops.front();
    group.sent_before = first.state == "sent";
    auto folder = store::folder_of(database, first.folder);
    if (!folder)
        return group; // its letters are none: it is refused
    group.folder = *folder;
    if (first.target)
        group.target = store::folder_of(database, *first.target);
    for (std::size_t i = 0; i < group.ops.size(); ++i)
        for (std::size_t j = 0; j < group.ops[i].targets.size(); ++j) {
            const auto& target = group.ops[i].targets[j];
            auto row = database.prepare("SELECT message_id FROM message WHERE id = ?");
            auto message_id = row.bind(target.message).step() ? row.string(0) : std::string();
            if (!target.uid && first.kind != store::OpKind::append)
                group.nameless = true;
            else
                group.letters.push_back({target.uid.value_or(0), std::move(message_id), i, j});
        }
    return group;
}

UidSet uids_of(const std::vector<Letter>& letters) {
    UidSet uids;
    for (const auto& letter : letters)
        uids.add(static_cast<std::uint32_t>(letter.uid));
    return uids;
}

// What no repeating helps against.
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

class Replay {
  public:
    explicit Replay(Work& work) : m_work(work) {}

    loop::Task<Replayed> run() {
        std::set<store::Id> tried;
        for (;;) {
            auto asking = m_work.store->read<std::optional<Group>>(
                [now = time::now_s(), tried](store::Database& database) {
                    return next_group(database, now, tried);
                },
                m_work.token);
            auto group = co_await asking;
            if (!group)
                co_return std::move(m_result);
            for (const auto& op : group->ops)
                tried.insert(op.id);
            std::optional<Error> refusal;
            auto carrying = carry(*group);
            try {
                co_await carrying;
            } catch (const Error& error) {
                if (!is_final(error))
                    throw;
                refusal = error;
            }
            if (refusal) {
                auto refusing = refuse(*group, *refusal);
                co_await refusing;
            }
        }
    }

  private:
    loop::Task<> carry(Group& group) {
        const auto& first = group.ops.front();
        if (group.folder.id == 0 || (first.target && !group.target))
            throw make_error(Code::not_found, "the folder is not there any more");
        if (group.nameless && group.letters.empty()) {
            auto waiting = wait_for_names(group.ops);
            co_await waiting;
            co_return;
        }
        if (first.kind == store::OpKind::append) {
            auto appending = append(group);
            co_await appending;
            co_return;
        }
        m_work.progress->say("Carrying out changes", group.folder.path);
        m_work.on_progress();
        auto visiting = m_work.source->visit(group.folder.remote, std::nullopt, true, m_work.token);
        auto visit = co_await visiting;
        if (visit->state().uidvalidity != group.folder.uidvalidity) {
            // The folder's own sync comes first and gives the messages their new names.
            m_result.waiting = true;
            co_return;
        }
        switch (first.kind) {
        case store::OpKind::flag: {
            auto storing = flags(group, *visit);
            co_await storing;
            break;
        }
        case store::OpKind::move: {
            auto moving = move(group, *visit);
            co_await moving;
            break;
        }
        case store::OpKind::copy: {
            auto copying = copy(group, *visit);
            co_await copying;
            break;
        }
        case store::OpKind::expunge: {
            auto marking = mark_sent(group, std::nullopt);
            co_await marking;
            auto checking = m_work.store->check_lead(m_work.token);
            co_await checking;
            auto expunging = visit->expunge(uids_of(group.letters), m_work.token);
            co_await expunging;
            auto finishing = finish(group, {});
            co_await finishing;
            break;
        }
        case store::OpKind::append:
            break;
        }
    }

    loop::Task<> mark_sent(const Group& group, std::optional<std::int64_t> uidnext) {
        return m_work.store->write_as_leader<void>(
            [ops = group.ops, uidnext](store::Change& change) {
                for (const auto& op : ops)
                    store::mark_sent(change, op.id, uidnext);
            },
            m_work.token);
    }

    // Every letter of the group is done; `named` tells the new UID of some, by the old one.
    loop::Task<> finish(const Group& group, std::map<std::int64_t, std::int64_t> named) {
        m_result.carried += static_cast<std::int64_t>(group.letters.size());
        return m_work.store->write_as_leader<void>(
            [group, named = std::move(named)](store::Change& change) {
                for (const auto& letter : group.letters) {
                    auto name = named.find(letter.uid);
                    const auto& op = group.ops[letter.op];
                    store::finish_target(change, op, op.targets[letter.target],
                                         name == named.end() ? std::nullopt : std::optional(name->second));
                }
            },
            m_work.token);
    }

    loop::Task<> flags(Group& group, Visit& visit) {
        auto nets = net_wishes(group.ops);
        std::vector<FlagWish> wishes;
        wishes.reserve(nets.size());
        for (auto& net : nets)
            wishes.push_back(net.wish);
        // Doing it twice is doing it once: no search before, no mark of having been sent.
        auto checking = m_work.store->check_lead(m_work.token);
        co_await checking;
        auto storing = visit.change_flags(std::move(wishes), m_work.token);
        auto refused = co_await storing;
        std::set<std::pair<std::size_t, std::size_t>> unwanted;
        std::map<std::size_t, Error> refusals; // by op
        for (std::size_t i = 0; i < nets.size(); ++i)
            if (refused[i]) {
                if (!is_final(*refused[i]))
                    throw Error(*refused[i]);
                for (auto part : nets[i].parts) {
                    unwanted.insert(part);
                    refusals.emplace(part.first, *refused[i]);
                }
            }
        std::set<std::size_t> named;
        for (const auto& letter : group.letters)
            named.insert(letter.op);
        std::erase_if(group.letters, [&](const Letter& letter) {
            return unwanted.contains({letter.op, letter.target});
        });
        auto finishing = finish(group, {});
        co_await finishing;
        std::vector<store::Op> waiting;
        for (std::size_t i = 0; i < group.ops.size(); ++i)
            if (!named.contains(i))
                waiting.push_back(group.ops[i]);
        auto postponing = wait_for_names(std::move(waiting));
        co_await postponing;
        for (const auto& [at, why] : refusals) {
            Group one;
            one.folder = group.folder;
            one.ops.push_back(group.ops[at]);
            one.ops[0].targets.clear();
            for (std::size_t target = 0; target < group.ops[at].targets.size(); ++target)
                if (unwanted.contains({at, target}))
                    one.ops[0].targets.push_back(group.ops[at].targets[target]);
            one.letters.resize(one.ops[0].targets.size());
            auto refusing = refuse(one, why);
            co_await refusing;
        }
    }

    // Until the sync that brings them.
    loop::Task<> wait_for_names(std::vector<store::Op> ops) {
        if (ops.empty())
            co_return;
        m_result.waiting = true;
        auto waiting = m_work.store->write_as_leader<void>(
            [ops = std::move(ops)](store::Change& change) {
                for (const auto& op : ops)
                    store::postpone(change, op.id, time::now_s() + WAIT_FOR_A_NAME);
            },
            m_work.token);
        co_await waiting;
    }

    loop::Task<> move(Group& group, Visit& visit) {
        std::vector<Letter> gone;
        if (group.sent_before) {
            auto looking = visit.present(uids_of(group.letters), m_work.token);
            auto present = co_await looking;
            std::vector<Letter> here;
            for (auto& letter : group.letters)
                (present.contains(static_cast<std::uint32_t>(letter.uid)) ? here : gone).push_back(letter);
            group.letters = std::move(here);
        }
        if (!group.letters.empty()) {
            auto marking = mark_sent(group, std::nullopt);
            co_await marking;
            auto checking = m_work.store->check_lead(m_work.token);
            co_await checking;
            auto moving = visit.move(uids_of(group.letters), group.target->remote, m_work.token);
            auto named = co_await moving;
            auto finishing = finish(group, names(group, named));
            co_await finishing;
        }
        if (!gone.empty()) {
            // Moved by us before the line was cut: their names come with the target's own sync, by Message-ID.
            group.letters = std::move(gone);
            auto finishing = finish(group, {});
            co_await finishing;
        }
    }

    loop::Task<> copy(Group& group, Visit& visit) {
        if (group.sent_before) {
            auto looking = find_made(group);
            auto found = co_await looking;
            std::vector<Letter> made, left;
            for (auto& letter : group.letters)
                (found.contains(letter.uid) ? made : left).push_back(letter);
            if (!made.empty()) {
                Group done = group;
                done.letters = std::move(made);
                auto finishing = finish(done, found);
                co_await finishing;
            }
            group.letters = std::move(left);
            if (group.letters.empty())
                co_return;
        }
        auto asking = uidnext_of(*group.target);
        auto uidnext = co_await asking;
        auto marking = mark_sent(group, uidnext);
        co_await marking;
        auto checking = m_work.store->check_lead(m_work.token);
        co_await checking;
        auto copying = visit.copy(uids_of(group.letters), group.target->remote, m_work.token);
        auto named = co_await copying;
        auto finishing = finish(group, names(group, named));
        co_await finishing;
    }

    loop::Task<> append(Group& group) {
        auto& op = group.ops.front();
        const auto& target = op.targets.at(0);
        if (group.sent_before) {
            auto looking = find_made(group);
            auto found = co_await looking;
            if (!found.empty()) {
                auto finishing = finish(group, found);
                co_await finishing;
                co_return;
            }
        }
        auto reading = m_work.store->read<std::optional<NewLetter>>(
            [store = m_work.store,
             message = target.message](store::Database& database) -> std::optional<NewLetter> {
                auto row =
                    database.prepare("SELECT body, flags, keywords, arrived FROM message WHERE id = ?");
                if (!row.bind(message).step() || row.is_null(0))
                    return std::nullopt;
                auto bytes = store->bodies().read(database, row.integer(0));
                if (!bytes)
                    return std::nullopt;
                return NewLetter{std::move(*bytes),
                                 static_cast<std::uint32_t>(row.integer(1)) & store::SERVER_FLAGS,
                                 row.string(2), row.integer(3)};
            },
            m_work.token);
        auto letter = co_await reading;
        if (!letter)
            throw make_error(Code::not_found, "the message's own text is not here any more");
        auto asking = uidnext_of(group.folder);
        auto uidnext = co_await asking;
        auto marking = mark_sent(group, uidnext);
        co_await marking;
        auto checking = m_work.store->check_lead(m_work.token);
        co_await checking;
        auto appending = m_work.source->append(group.folder.remote, std::move(*letter), m_work.token);
        auto uid = co_await appending;
        std::map<std::int64_t, std::int64_t> named;
        if (uid)
            named[0] = *uid;
        auto finishing = finish(group, std::move(named));
        co_await finishing;
    }

    loop::Task<std::optional<std::int64_t>> uidnext_of(const store::Folder& folder) {
        std::vector<std::string> remotes{folder.remote};
        auto asking = m_work.source->states(std::move(remotes), m_work.token);
        auto states = co_await asking;
        co_return states.at(0) ? states.at(0)->uidnext : std::nullopt;
    }

    // Results of a command whose answer never came: messages with our Message-IDs that were not there before.
    loop::Task<std::map<std::int64_t, std::int64_t>> find_made(const Group& group) {
        std::map<std::int64_t, std::int64_t> found;
        const auto& folder = group.target ? *group.target : group.folder;
        auto first = group.ops.front().uidnext;
        if (!first)
            co_return found;
        auto visiting = m_work.source->visit(folder.remote, std::nullopt, true, m_work.token);
        auto visit = co_await visiting;
        for (const auto& letter : group.letters) {
            if (letter.message_id.empty())
                continue;
            auto finding = visit->find(letter.message_id, *first, m_work.token);
            auto uids = co_await finding;
            if (!uids.empty())
                found[letter.uid] = uids.min();
        }
        co_return found;
    }

    static std::map<std::int64_t, std::int64_t> names(const Group& group, const Named& named) {
        std::map<std::int64_t, std::int64_t> result;
        // Names of another UIDVALIDITY than the one we know say nothing here.
        bool same =
            group.target && (!group.target->uidvalidity || *group.target->uidvalidity == named.uidvalidity);
        if (same)
            for (auto [from, to] : named.uids)
                result[from] = to;
        return result;
    }

    loop::Task<> refuse(const Group& group, const Error& error) {
        auto what = store::name_of(group.ops.front().kind);
        m_result.refused.push_back(fmt::format("The server refused to {} {} in {}: {}", what,
                                               group.letters.size() == 1 ? "a message" : "messages",
                                               group.folder.path.empty() ? "a folder" : group.folder.path,
                                               error.message));
        log::warn("sync", "{}", m_result.refused.back());
        return m_work.store->write_as_leader<void>(
            [ops = group.ops, why = error.message](store::Change& change) {
                for (const auto& op : ops)
                    store::refuse(change, op, why);
            },
            m_work.token);
    }

    Work& m_work;
    Replayed m_result;
};

} // namespace

loop::Task<Replayed> replay_ops(Work& work) {
    Replay replay(work);
    auto running = replay.run();
    co_return co_await running;
}

} // namespace himalaya::sync
