#include "sync/op_replay.hpp"

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/folders.hpp"
#include "sync/flag_wishes.hpp"
#include "sync/op_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace himalaya::sync {

namespace {

// A message whose name on the server is not known yet waits for the sync that brings it.
constexpr std::int64_t WAIT_FOR_A_NAME = 60;
// Messages that others marked as deleted stand in the way of an EXPUNGE without UIDPLUS.
constexpr std::int64_t WAIT_FOR_OTHERS = 900;

// An answer that makes no sense (BAD) may be a passing fault of the server: it is tried again after so many seconds, and
// refused when it is the same each time.
constexpr std::array<std::int64_t, 3> WAITS_FOR_SENSE = {60, 300, 900};

// What repeating at once does not help against.
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
    Replay(Work& work, bool listed) : m_work(work), m_listed(listed) {}

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
            } catch (const Unreached&) {
                throw; // whatever its code: no answer to these ops
            } catch (const Error& error) {
                refusal = error;
            }
            if (!refusal)
                continue;
            bool again =
                is_final(*refusal) || refusal->code == Code::busy || refusal->code == Code::uidvalidity;
            again = again && group->ops.front().kind != store::OpKind::append;
            if (again && !m_freshly.contains(group->ops.front().id)) {
                // A session that has had the folder open may not know that it was made anew since.
                for (const auto& op : group->ops) {
                    m_freshly.insert(op.id);
                    tried.erase(op.id);
                }
                continue;
            }
            if (!is_final(*refusal))
                throw Error(*refusal);
            if (refusal->code == Code::not_found && !m_listed && !m_missing) {
                m_result.missed_a_folder = true;
            } else {
                auto answering = take_refusal(std::move(*group), *refusal);
                co_await answering;
            }
        }
    }

  private:
    loop::Task<> carry(Group& group) {
        const auto& first = group.ops.front();
        m_missing = group.folder.id == 0 || (first.target && !group.target);
        if (m_missing)
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
        // Before the folder is held: a server may grant one connection only, and that has one folder open.
        std::map<std::int64_t, std::int64_t> made;
        if (group.sent_before && group.target) {
            auto looking = find_made(group);
            made = co_await looking;
        }
        // Any folder but the inbox may have been renamed or made anew under a session that has it open, and then some
        // servers answer OK to a change of what is not there any more.
        bool freshly = group.sent_before || m_freshly.contains(first.id) || group.folder.role != "inbox";
        auto known = freshly ? std::optional(Known::nothing()) : std::nullopt;
        auto visiting = m_work.source->visit(group.folder.remote, std::move(known), true, m_work.token);
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
            auto moving = move(group, *visit, std::move(made));
            co_await moving;
            break;
        }
        case store::OpKind::copy: {
            auto copying = copy(group, *visit, std::move(made));
            co_await copying;
            break;
        }
        case store::OpKind::expunge: {
            auto marking = mark_sent(group, std::nullopt);
            co_await marking;
            auto checking = m_work.store->check_lead(m_work.token);
            co_await checking;
            auto expunging = visit->expunge(uids_of(group.letters), m_work.token);
            bool gone = co_await expunging;
            auto ending = gone ? finish(group, {}) : wait_for_others(group);
            co_await ending;
            break;
        }
        case store::OpKind::append:
            break;
        }
    }

    // They are marked as deleted on the server, but cannot go without others that we did not mark.
    loop::Task<> wait_for_others(const Group& group) {
        log::info("sync", "{}: others marked messages as deleted here; ours wait until those have gone",
                  group.folder.path);
        return m_work.store->write_as_leader<void>(
            [ops = group.ops](store::Change& change) {
                for (const auto& op : ops)
                    store::postpone(change, op.id, time::now_s() + WAIT_FOR_OTHERS);
            },
            m_work.token);
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
            auto answering = take_refusal(std::move(one), why);
            co_await answering;
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

    // `made`: what an earlier try brought into the target, by the old UIDs.
    loop::Task<> move(Group& group, Visit& visit, std::map<std::int64_t, std::int64_t> made) {
        std::vector<Letter> here, copied, gone;
        UidSet present = uids_of(group.letters);
        if (group.sent_before) {
            auto looking = visit.present(std::move(present), m_work.token);
            present = co_await looking;
        }
        for (auto& letter : group.letters) {
            if (!present.contains(static_cast<std::uint32_t>(letter.uid)))
                gone.push_back(letter);
            else if (!visit.moves_at_once() && made.contains(letter.uid))
                copied.push_back(letter);
            else
                here.push_back(letter);
        }
        if (!here.empty()) {
            group.letters = std::move(here);
            std::optional<std::int64_t> uidnext;
            if (!visit.moves_at_once()) {
                auto asking = uidnext_of(*group.target);
                uidnext = co_await asking;
            }
            auto marking = mark_sent(group, uidnext);
            co_await marking;
            auto checking = m_work.store->check_lead(m_work.token);
            co_await checking;
            auto moving = visit.move(uids_of(group.letters), group.target->remote, m_work.token);
            auto named = co_await moving;
            auto ending = named.whole ? finish(group, names(group, named)) : wait_for_others(group);
            co_await ending;
        }
        if (!copied.empty()) {
            // The line was cut between the copy and the end of the original: a second copy would be one too many.
            group.letters = std::move(copied);
            auto expunging = visit.expunge(uids_of(group.letters), m_work.token);
            bool expunged = co_await expunging;
            auto ending = expunged ? finish(group, made) : wait_for_others(group);
            co_await ending;
        }
        if (!gone.empty()) {
            // Moved by us before the line was cut, or by somebody else: the target's own sync sees which.
            group.letters = std::move(gone);
            auto finishing = finish(group, {});
            co_await finishing;
        }
    }

    loop::Task<> copy(Group& group, Visit& visit, std::map<std::int64_t, std::int64_t> found) {
        if (group.sent_before) {
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

    // Refused for good, or held back for a while where that may help.
    loop::Task<> take_refusal(Group group, Error error) {
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

    loop::Task<> hold_back(std::vector<store::Op> ops) {
        return m_work.store->write_as_leader<void>(
            [ops = std::move(ops)](store::Change& change) {
                for (const auto& op : ops)
                    store::hold_back(change, op.id,
                                     time::now_s() +
                                         WAITS_FOR_SENSE.at(static_cast<std::size_t>(op.refusals)));
            },
            m_work.token);
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
    bool m_listed;
    bool m_missing = false; // the last one's folder is gone for sure
    std::set<store::Id> m_freshly;
    Replayed m_result;
};

} // namespace

loop::Task<Replayed> replay_ops(Work& work, bool listed) {
    Replay replay(work, listed);
    auto running = replay.run();
    co_return co_await running;
}

} // namespace himalaya::sync
