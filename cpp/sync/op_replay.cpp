#include "sync/op_replay.hpp"

#include "base/time.hpp"
#include "store/folders.hpp"
#include "store/packing.hpp"
#include "sync/flag_wishes.hpp"
#include "sync/op_append.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace himalaya::sync {

namespace {

class Replay {
  public:
    Replay(Work& work, bool listed) : m_work(work), m_listed(listed) {}

    loop::Task<Replayed> run() {
        std::set<store::Id> tried, came_alone;
        for (int times = 0;;) {
            auto passed = m_work.line_breakers->more_often(times);
            bool last = passed.empty();
            passed.insert(tried.begin(), tried.end());
            auto limits = m_work.line_breakers->limits();
            for (auto id : m_alone)
                limits[id] = 1;
            auto asking = m_work.store->read<std::optional<Group>>(
                [now = time::now_s(), passed = std::move(passed), limits = std::move(limits)](
                    store::Database& database) { return next_group(database, now, passed, limits); },
                m_work.token);
            auto group = co_await asking;
            if (!group && last)
                co_return std::move(m_result);
            if (!group) {
                ++times;
                continue;
            }
            for (const auto& op : group->ops)
                tried.insert(op.id);
            std::optional<Error> refusal, line_lost;
            auto carrying = carry(*group);
            try {
                co_await carrying;
            } catch (const LineLost& error) {
                m_work.token.throw_if_cancelled();
                line_lost = error;
            } catch (const Unreached&) {
                throw; // whatever its code: no answer to these ops
            } catch (const Error& error) {
                refusal = error;
            }
            // Those that are to be tried for themselves come again, once.
            for (auto id : m_alone)
                if (came_alone.insert(id).second)
                    tried.erase(id);
            if (line_lost) {
                bool goes_on = m_ledger.may_wait_for_a_line(*group);
                m_work.line_breakers->lost_at(group->ops);
                if (!goes_on)
                    throw LineLost(*line_lost);
                auto waiting = m_ledger.wait_for_a_line(std::move(*group));
                co_await waiting;
                co_return std::move(m_result);
            }
            m_work.line_breakers->answered(group->ops);
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
                auto answering = m_ledger.take_refusal(std::move(*group), *refusal);
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
            auto waiting = m_ledger.wait_for_names(group.ops);
            co_await waiting;
            co_return;
        }
        if (first.kind == store::OpKind::append) {
            auto appending = carry_new(m_work, m_ledger, group, m_alone);
            co_await appending;
            co_return;
        }
        m_work.progress->say("Carrying out changes", group.folder.path);
        m_work.on_progress();
        // Before the folder is held: a server may grant one connection only, and that has one folder open.
        std::map<std::int64_t, std::int64_t> made;
        if (group.sent_before && group.target) {
            auto looking = m_ledger.find_made(group);
            made = co_await looking;
        }
        if (first.kind == store::OpKind::move && !made.empty()) {
            auto bringing = bring_flags(group, made);
            co_await bringing;
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
            auto marking = m_ledger.mark_sent(group, std::nullopt);
            co_await marking;
            auto checking = m_work.store->check_lead(m_work.token);
            co_await checking;
            auto expunging = visit->expunge(uids_of(group.letters), m_work.token);
            bool gone = co_await expunging;
            auto ending =
                gone ? m_ledger.finish(group, std::move(group.letters), {}) : m_ledger.wait_for_others(group);
            co_await ending;
            break;
        }
        case store::OpKind::append:
            break;
        }
    }

    loop::Task<> flags(Group& group, Visit& visit) {
        auto summing = m_work.store->on_files<std::vector<NetWish>>(
            [ops = group.ops] { return net_wishes(ops); }, m_work.token);
        auto nets = co_await summing;
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
        auto finishing = m_ledger.finish(group, std::move(group.letters), {});
        co_await finishing;
        std::vector<store::Op> waiting;
        for (std::size_t i = 0; i < group.ops.size(); ++i)
            if (!named.contains(i))
                waiting.push_back(group.ops[i]);
        auto postponing = m_ledger.wait_for_names(std::move(waiting));
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
            auto answering = m_ledger.take_refusal(std::move(one), why);
            co_await answering;
        }
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
                gone.push_back(std::move(letter));
            else if (!visit.moves_at_once() && made.contains(letter.uid))
                copied.push_back(std::move(letter));
            else
                here.push_back(std::move(letter));
        }
        if (!here.empty()) {
            group.letters = std::move(here);
            std::optional<std::int64_t> uidnext;
            if (!visit.moves_at_once()) {
                auto asking = m_ledger.uidnext_of(*group.target);
                uidnext = co_await asking;
            }
            auto marking = m_ledger.mark_sent(group, uidnext);
            co_await marking;
            auto checking = m_work.store->check_lead(m_work.token);
            co_await checking;
            auto moving = visit.move(uids_of(group.letters), group.target->remote, m_work.token);
            auto named = co_await moving;
            auto ending =
                named.whole ? m_ledger.finish(group, std::move(group.letters), names(group, std::move(named)))
                            : m_ledger.wait_for_others(group);
            co_await ending;
        }
        if (!copied.empty()) {
            // The line was cut between the copy and the end of the original: a second copy would be one too many.
            group.letters = std::move(copied);
            auto expunging = visit.expunge(uids_of(group.letters), m_work.token);
            bool expunged = co_await expunging;
            auto ending = expunged
                              ? m_ledger.finish(group, std::move(group.letters), {made.begin(), made.end()})
                              : m_ledger.wait_for_others(group);
            co_await ending;
        }
        if (!gone.empty()) {
            // Moved by us before the line was cut, or by somebody else: the target's own sync sees which.
            auto finishing = m_ledger.finish(group, std::move(gone), {});
            co_await finishing;
        }
    }

    // A move that was cut off after its copy: what other clients changed since of the originals, which will go, is
    // changed of the copies. One folder after the other, as there may be only one connection.
    loop::Task<> bring_flags(const Group& group, const std::map<std::int64_t, std::int64_t>& made) {
        std::map<std::int64_t, store::Id> rows;
        UidSet originals;
        for (const auto& letter : group.letters)
            if (made.contains(letter.uid)) {
                rows[letter.uid] = group.ops[letter.op].targets[letter.target].message;
                originals.add(static_cast<std::uint32_t>(letter.uid));
            }
        std::vector<store::FlagNews> news;
        {
            auto visiting = m_work.source->visit(group.folder.remote, Known::nothing(), true, m_work.token);
            auto visit = co_await visiting;
            if (visit->moves_at_once() || visit->state().uidvalidity != group.folder.uidvalidity)
                co_return;
            auto keep = [&](store::FlagNews one) {
                if (rows.contains(one.uid))
                    news.push_back(std::move(one));
            };
            auto asking = visit->flags(std::move(originals), std::nullopt, keep, m_work.token);
            co_await asking;
        }
        auto comparing = m_work.store->read<std::vector<FlagWish>>(
            [rows, made, news](store::Database& database) {
                std::vector<FlagWish> wishes;
                for (const auto& one : news) {
                    auto known =
                        database.prepare("SELECT server_flags, server_keywords FROM message WHERE id = ?");
                    if (!known.bind(rows.at(one.uid)).step())
                        continue;
                    auto flags = static_cast<std::uint32_t>(known.integer(0));
                    auto words = store::unpack_keywords(known.string(1));
                    constexpr auto kinds = store::SERVER_FLAGS & ~store::DELETED;
                    FlagWish wish;
                    wish.uids.add(static_cast<std::uint32_t>(made.at(one.uid)));
                    wish.change.add = one.flags & ~flags & kinds;
                    wish.change.remove = flags & ~one.flags & kinds;
                    auto has = [](const std::vector<std::string>& all, const std::string& word) {
                        return std::find(all.begin(), all.end(), word) != all.end();
                    };
                    for (const auto& word : one.keywords)
                        if (!has(words, word))
                            wish.change.add_keywords.push_back(word);
                    for (const auto& word : words)
                        if (!has(one.keywords, word))
                            wish.change.remove_keywords.push_back(word);
                    if (wish.change.add || wish.change.remove || !wish.change.add_keywords.empty() ||
                        !wish.change.remove_keywords.empty())
                        wishes.push_back(std::move(wish));
                }
                return wishes;
            },
            m_work.token);
        auto wishes = co_await comparing;
        if (wishes.empty())
            co_return;
        auto visiting = m_work.source->visit(group.target->remote, Known::nothing(), true, m_work.token);
        auto visit = co_await visiting;
        auto checking = m_work.store->check_lead(m_work.token);
        co_await checking;
        auto storing = visit->change_flags(std::move(wishes), m_work.token);
        (void)co_await storing; // what this folder cannot keep is no reason to keep the message twice
    }

    loop::Task<> copy(Group& group, Visit& visit, std::map<std::int64_t, std::int64_t> found) {
        if (group.sent_before) {
            std::vector<Letter> made, left;
            for (auto& letter : group.letters)
                (found.contains(letter.uid) ? made : left).push_back(std::move(letter));
            if (!made.empty()) {
                auto finishing = m_ledger.finish(group, std::move(made), {found.begin(), found.end()});
                co_await finishing;
            }
            group.letters = std::move(left);
            if (group.letters.empty())
                co_return;
        }
        auto asking = m_ledger.uidnext_of(*group.target);
        auto uidnext = co_await asking;
        auto marking = m_ledger.mark_sent(group, uidnext);
        co_await marking;
        auto checking = m_work.store->check_lead(m_work.token);
        co_await checking;
        auto copying = visit.copy(uids_of(group.letters), group.target->remote, m_work.token);
        auto named = co_await copying;
        auto finishing = m_ledger.finish(group, std::move(group.letters), names(group, std::move(named)));
        co_await finishing;
    }

    static Names names(const Group& group, Named named) {
        // Names of another UIDVALIDITY than the one we know say nothing here.
        bool same =
            group.target && (!group.target->uidvalidity || *group.target->uidvalidity == named.uidvalidity);
        return same ? std::move(named.uids) : Names();
    }

    Work& m_work;
    bool m_listed;
    bool m_missing = false; // the last one's folder is gone for sure
    std::set<store::Id> m_freshly;
    std::set<store::Id> m_alone; // new letters of a command that was refused as a whole
    Replayed m_result;
    Ledger m_ledger{m_work, m_result};
};

} // namespace

loop::Task<Replayed> replay_ops(Work& work, bool listed) {
    Replay replay(work, listed);
    auto running = replay.run();
    co_return co_await running;
}

} // namespace himalaya::sync
