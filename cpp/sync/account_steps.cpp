// What one sync does, from the user's changes to the last body.
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "store/folders.hpp"
#include "sync/account.hpp"
#include "sync/body_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace himalaya::sync {

namespace {

// What people look at first comes first.
int rank(const store::Folder& folder) {
    static constexpr std::array<std::string_view, 6> FIRST = {"inbox",   "sent",    "drafts",
                                                              "archive", "flagged", "all"};
    auto at = std::find(FIRST.begin(), FIRST.end(), folder.role);
    if (folder.role == "junk" || folder.role == "trash")
        return 100;
    return at == FIRST.end() ? 50 : static_cast<int>(at - FIRST.begin());
}

bool is_inbox(const store::Folder& folder) {
    return folder.role == "inbox" || folder.path == "INBOX";
}

// A move that cannot be carried out any more ends with a word about it.
std::string unmoved(const std::string& folder, std::int64_t count) {
    return count == 1
               ? fmt::format("A message that you moved out of {} is not on the server any more.", folder)
               : fmt::format("{} messages that you moved out of {} are not on the server any more.", count,
                             folder);
}

struct Here {
    store::Folder folder;
    Local local;
    bool bodies_due = false;
};

std::optional<Here> what_is_here(store::Database& database, const std::string& path,
                                 const BodyPolicy& policy) {
    auto folder = store::folder_of(database, path);
    if (!folder)
        return std::nullopt;
    auto local = local_of(*folder, named_rows(database, folder->id));
    local.unnamed = store::has_unnamed(database, folder->id);
    return Here{*folder, std::move(local), bodies_are_due(database, folder->id, policy)};
}

// All that is to come is expected at once: a percent of the first folder alone would be at its end long before the sync.
loop::Task<> expect_all(Work& work, const std::vector<RemoteFolder>& listed) {
    auto asking = work.store->read<std::vector<store::Folder>>(store::all_folders, work.token);
    auto here = co_await asking;
    std::map<std::string_view, std::int64_t> totals;
    for (const auto& folder : here)
        totals.emplace(folder.path, folder.total);
    bool all_texts = work.bodies.fetch && !work.bodies.newest_days;
    if (work.bodies.fetch && !all_texts)
        work.progress->expect_some_texts();
    for (const auto& remote : listed)
        if (remote.state && remote.state->total)
            work.progress->expect(
                remote.folder.path,
                std::max<std::int64_t>(0, *remote.state->total - totals[remote.folder.path]), all_texts);
}

// Where what waits for the server was done, and where to.
std::set<std::string> folders_of_ops(store::Database& database) {
    constexpr int MOST_OPS = 10'000;
    std::set<store::Id> rows;
    for (const auto& op : store::ready_ops(database, time::now_s(), MOST_OPS)) {
        rows.insert(op.folder);
        rows.insert(op.target.value_or(op.folder));
    }
    std::set<std::string> paths;
    for (const auto& folder : store::all_folders(database))
        if (rows.contains(folder.id))
            paths.insert(folder.path);
    return paths;
}

} // namespace

struct Account::Carrying {
    explicit Carrying(Account& of) : account(of) { account.m_carrying = true; }
    ~Carrying() {
        account.m_carrying = false;
        account.m_left.open();
    }
    Account& account;
};

struct Account::Reading {
    Reading(Account& of, std::string folder) : account(of), path(std::move(folder)) {
        account.m_read.insert(path);
    }
    ~Reading() {
        account.m_read.erase(path);
        account.m_left.open();
    }
    Account& account;
    std::string path;
};

// The user's changes to the server, while nobody reads the folders they are about: what was read before a change and is
// written after it would show the message as it was.
loop::Task<Replayed> Account::carry_out(Work& work, bool listed) {
    if (m_options.at_once > 1) {
        auto asking = work.store->read<std::set<std::string>>(folders_of_ops, work.token);
        auto concerned = co_await asking;
        auto is_read = [&] {
            return std::any_of(concerned.begin(), concerned.end(),
                               [&](const std::string& path) { return m_read.contains(path); });
        };
        while (m_carrying || is_read()) {
            m_left.close();
            co_await m_left.wait(work.token);
        }
    }
    Carrying carrying(*this);
    auto replaying = replay_ops(work, listed);
    co_return co_await replaying;
}

loop::Task<> Account::may_read(const std::string& path, loop::CancelToken token) {
    while (m_carrying || m_read.contains(path)) {
        m_left.close();
        co_await m_left.wait(token);
    }
}

// The folders of this sync as the server has them now. One that is asked for by its name is read even where a sync of
// all leaves it out.
loop::Task<std::vector<RemoteFolder>> Account::look(Work& work, Kind kind, std::string folder) {
    work.progress->say("Looking at folders", "");
    work.on_progress();
    auto asking = work.store->read<std::optional<store::Folder>>(
        [kind, folder](store::Database& database) {
            return kind == Kind::folder ? store::folder_of(database, folder)
                                        : store::folder_with_role(database, "inbox");
        },
        work.token);
    auto known = co_await asking;
    // Opening it tells at once what a question about it would only announce, and more truly: some servers answer
    // STATUS from what they noted a second ago.
    if (kind == Kind::inbox && known && !wants(known->path))
        co_return std::vector<RemoteFolder>();
    if (kind != Kind::full && known && known->selectable)
        co_return std::vector<RemoteFolder>{{*known, std::nullopt}};
    // Every account has an inbox, and who sees the account for the first time looks there first.
    std::string soon = kind != Kind::folder && !(known && known->uidvalidity) ? "INBOX" : "";
    auto listing = work.source->folders(std::move(soon), work.token);
    auto listed = co_await listing;
    std::vector<store::Folder> folders;
    folders.reserve(listed.size());
    for (const auto& remote : listed)
        folders.push_back(remote.folder);
    std::erase_if(listed, [&](const RemoteFolder& remote) {
        if (!remote.folder.selectable)
            return true;
        if (kind == Kind::folder)
            return remote.folder.path != folder;
        return !wants(remote.folder.path) || (kind == Kind::inbox && !is_inbox(remote.folder));
    });
    if (kind == Kind::folder && listed.empty())
        throw make_error(
            Code::not_found,
            fmt::format("The server has no folder {} that holds messages.", text::clean_line(folder)),
            "See :HimalayaFolder for those it has.");
    std::vector<std::string> unknown;
    for (const auto& remote : listed)
        if (!remote.state)
            unknown.push_back(remote.folder.remote);
    if (!unknown.empty()) {
        auto stating = work.source->states(unknown, work.token);
        auto states = co_await stating;
        std::size_t at = 0;
        for (auto& remote : listed)
            if (!remote.state)
                remote.state = states.at(at++);
    }
    std::vector<store::Seen> seen;
    for (const auto& remote : listed)
        if (remote.state)
            seen.push_back({remote.folder.path, remote.state->uidvalidity});
    auto keeping = work.store->write_as_leader<void>(
        [folders = std::move(folders), seen = std::move(seen)](store::Change& change) {
            store::follow_renames(change, folders, seen);
            store::keep_folders(change, folders);
        },
        work.token);
    co_await keeping;
    std::stable_sort(listed.begin(), listed.end(), [](const RemoteFolder& a, const RemoteFolder& b) {
        return rank(a.folder) < rank(b.folder);
    });
    co_return std::move(listed);
}

loop::Task<> Account::steps(Work& work, Turn& turn, Kind kind, std::string folder, Summary& summary) {
    auto replaying = carry_out(work, false);
    auto replayed = co_await replaying;
    summary.uploaded = replayed.carried;
    summary.refused = std::move(replayed.refused);

    // The user who asks for one folder only is told all the same what became of a message whose folder is missing.
    auto looking = look(work, replayed.missed_a_folder ? Kind::full : kind, folder);
    auto listed = co_await looking;
    if (replayed.missed_a_folder) {
        auto once_more = carry_out(work, true);
        auto rest = co_await once_more;
        summary.uploaded += rest.carried;
        summary.refused.insert(summary.refused.end(), rest.refused.begin(), rest.refused.end());
        // In a folder that was renamed the messages get their names first, by a sync of all folders.
        replayed.waiting = replayed.waiting || rest.waiting;
        if (kind != Kind::full && !rest.waiting) {
            auto again = look(work, kind, std::move(folder));
            listed = co_await again;
        }
    }

    auto expecting = expect_all(work, listed);
    co_await expecting;

    // Bodies stream beside the envelopes. They are ended with us, whichever way we end.
    loop::CancelSource beside(work.token);
    Work behind = work;
    behind.token = beside.token();
    BodyLine line(behind, m_claims);
    loop::Gate bodies_done;
    std::optional<Error> bodies_failed;
    loop::start(line.run(), [&](std::optional<Error> error) {
        bodies_failed = std::move(error);
        bodies_done.open();
    });
    std::optional<Error> failure;
    std::vector<store::Id> looked_at; // those that may have had bodies to come
    bool were_due = false;
    auto bringing = [](Account& account, Work& shared, std::vector<RemoteFolder>& folders, BodyLine& bodies,
                       Summary& result, std::vector<store::Id>& looked, bool& due) -> loop::Task<> {
        for (const auto& remote : folders) {
            auto entering = account.may_read(remote.folder.path, shared.token);
            co_await entering;
            Reading reading(account, remote.folder.path);
            auto asking = shared.store->read<std::optional<Here>>(
                [path = remote.folder.path, policy = shared.bodies](store::Database& database) {
                    return what_is_here(database, path, policy);
                },
                shared.token);
            auto here = co_await asking;
            if (!here)
                continue;
            if (here->bodies_due) {
                due = true;
                looked.push_back(here->folder.id);
                bodies.add(here->folder, here->local.known);
            }
            if (remote.state && look_at(here->local, *remote.state, shared.thorough) == Look::none)
                continue;
            shared.progress->say("Reading", remote.folder.path);
            shared.on_progress();
            auto complete = [&bodies, row = here->folder](std::int64_t uidvalidity, UidSet uids) {
                auto folder_now = row;
                folder_now.uidvalidity = uidvalidity;
                bodies.add(std::move(folder_now), std::move(uids));
            };
            auto syncing = sync_folder(shared, here->folder, is_inbox(here->folder), complete);
            auto outcome = co_await syncing;
            if (!here->bodies_due)
                looked.push_back(here->folder.id);
            result.fresh += static_cast<std::int64_t>(outcome.fresh.size());
            result.updated += outcome.updated;
            result.expunged += outcome.expunged;
            if (!outcome.first && !outcome.fresh.empty())
                result.came.push_back({remote.folder.path, std::move(outcome.fresh)});
            if (outcome.withheld > 0)
                result.withheld.push_back(remote.folder.path);
            if (outcome.unmoved > 0)
                result.refused.push_back(unmoved(remote.folder.path, outcome.unmoved));
        }
        auto noting = account.note_states(shared, folders);
        co_await noting;
    };
    auto brought = bringing(*this, work, listed, line, summary, looked_at, were_due);
    try {
        co_await brought;
    } catch (const Error& error) {
        failure = error;
        beside.cancel();
    }
    if (!failure && replayed.waiting) {
        auto carrying = carry_out(work, kind == Kind::full || replayed.missed_a_folder);
        try {
            auto late = co_await carrying;
            summary.uploaded += late.carried;
            summary.refused.insert(summary.refused.end(), late.refused.begin(), late.refused.end());
        } catch (const Error& error) {
            failure = error;
            beside.cancel();
        }
    }
    turn.end();
    line.close();
    co_await bodies_done.wait(); // no token: it holds references to this frame
    if (failure)
        throw Error(*failure);
    if (bodies_failed)
        throw Error(*bodies_failed);
    // One that runs beside us may have left bodies due; the next sync sees to them.
    if (m_running == 1 && line.whole() && (were_due || line.fetched() > 0 || summary.fresh > 0)) {
        auto noting = work.store->write_as_leader<void>(
            [looked_at, policy = work.bodies](store::Change& change) {
                note_bodies_here(change, looked_at, policy);
            },
            work.token);
        co_await noting;
    }
}

// The server's own counts, as the listing told them: what the next look compares with.
loop::Task<> Account::note_states(Work& work, const std::vector<RemoteFolder>& listed) {
    auto asking = work.store->read<bool>(
        [listed](store::Database& database) {
            for (const auto& remote : listed) {
                auto folder = store::folder_of(database, remote.folder.path);
                if (folder && remote.state && folder->server_unread != remote.state->unread)
                    return true;
            }
            return false;
        },
        work.token);
    if (!co_await asking)
        co_return;
    auto writing = work.store->write_as_leader<void>(
        [listed](store::Change& change) {
            for (const auto& remote : listed) {
                auto folder = store::folder_of(change.database(), remote.folder.path);
                if (!folder || !remote.state)
                    continue;
                store::Progress progress;
                progress.server_unread = remote.state->unread;
                store::note_progress(change, folder->id, progress);
            }
        },
        work.token);
    co_await writing;
}

} // namespace himalaya::sync
