#include "sync/body_line.hpp"

#include "base/time.hpp"
#include "store/folders.hpp"
#include "sync/fetch_bodies.hpp"
#include "sync/pens.hpp"

#include <fmt/format.h>

namespace himalaya::sync {

namespace {

std::int64_t oldest_wanted(const BodyPolicy& policy) {
    return policy.newest_days ? time::now_s() - *policy.newest_days * 86'400 : INT64_MIN;
}

UidSet bodiless(store::Database& database, store::Id folder, const UidSet& among, std::int64_t since) {
    UidSet uids;
    for (auto range : among.ranges()) {
        auto row = database.prepare("SELECT remote FROM message WHERE folder = ? AND remote BETWEEN ? AND ? "
                                    "AND body IS NULL AND arrived >= ? ORDER BY remote");
        row.bind(folder, range.first, range.last, since);
        while (row.step())
            uids.add(static_cast<std::uint32_t>(row.integer(0)));
    }
    return uids;
}

} // namespace

UidSet Claims::claim(const store::Folder& folder, const UidSet& uids) {
    auto& claimed = m_claimed[{folder.id, folder.uidvalidity.value_or(0)}];
    auto fresh = uids.without(claimed);
    claimed = claimed.united(fresh);
    return fresh;
}

void Claims::release(const store::Folder& folder, const UidSet& uids) {
    auto found = m_claimed.find({folder.id, folder.uidvalidity.value_or(0)});
    if (found == m_claimed.end())
        return;
    found->second = found->second.without(uids);
    if (found->second.empty())
        m_claimed.erase(found);
}

BodyLine::~BodyLine() {
    for (const auto& due : m_due)
        m_claims->release(due.folder, due.uids);
}

void BodyLine::add(store::Folder folder, UidSet uids) {
    if (!m_work.bodies.fetch || uids.empty())
        return;
    auto mine = m_claims->claim(folder, uids);
    if (mine.count() < uids.count())
        m_whole = false; // another sync brings the others
    if (mine.empty())
        return;
    m_due.push_back({std::move(folder), std::move(mine)});
    m_wake.open();
}

void BodyLine::close() {
    m_closed = true;
    m_wake.open();
}

loop::Task<> BodyLine::run() {
    for (;;) {
        if (m_due.empty()) {
            if (m_closed)
                co_return;
            m_visit.reset(); // nobody holds a folder while waiting
            m_wake.close();
            co_await m_wake.wait(m_work.token);
            continue;
        }
        // It stays in front, claimed, until it is done or the line ends.
        auto fetching = fetch(m_due.front());
        co_await fetching;
        m_claims->release(m_due.front().folder, m_due.front().uids);
        m_due.pop_front();
    }
}

loop::Task<> BodyLine::fetch(Due due) {
    auto since = oldest_wanted(m_work.bodies);
    auto asking = m_work.store->read_behind<UidSet>(
        [id = due.folder.id, uids = due.uids, since](store::Database& database) {
            return bodiless(database, id, uids, since);
        },
        m_work.token);
    auto uids = co_await asking;
    if (uids.empty())
        co_return;
    m_work.progress->expect_texts(static_cast<std::int64_t>(uids.count()));
    if (!m_visit || m_folder != due.folder.id) {
        m_visit.reset();
        auto visiting = m_work.source->visit(due.folder.remote, std::nullopt, false, m_work.token);
        m_visit = co_await visiting;
        m_folder = due.folder.id;
    }
    if (m_visit->state().uidvalidity != due.folder.uidvalidity) {
        // This session opened it before it was made anew.
        m_visit.reset();
        auto visiting = m_work.source->visit(due.folder.remote, Known::nothing(), false, m_work.token);
        m_visit = co_await visiting;
        m_folder = due.folder.id;
    }
    if (m_visit->state().uidvalidity != due.folder.uidvalidity) {
        m_whole = false; // the folder's next sync sorts that out
        co_return;
    }
    BodyPen pen(
        m_work.store, due.folder.id, BodyPen::As::leader,
        [this, path = due.folder.path](std::int64_t count) {
            m_fetched += count;
            m_work.progress->count_texts(count);
            if (m_closed) // nothing else is read any more
                m_work.progress->say("Reading", path);
            m_work.on_progress();
        },
        m_work.token);
    auto reading = fetch_into(pen, *m_visit, std::move(uids), m_work.token);
    co_await reading;
}

loop::Task<> fetch_body(Work& work, store::Id message) {
    struct Place {
        store::Folder folder;
        std::int64_t uid = 0;
    };
    auto asking = work.store->read<std::optional<Place>>(
        [message](store::Database& database) -> std::optional<Place> {
            auto row =
                database.prepare("SELECT folder, remote FROM message WHERE id = ? AND remote IS NOT NULL");
            if (!row.bind(message).step())
                return std::nullopt;
            auto folder = store::folder_of(database, row.integer(0));
            if (!folder)
                return std::nullopt;
            return Place{*folder, row.integer(1)};
        },
        work.token);
    auto place = co_await asking;
    if (!place)
        throw make_error(Code::not_found, "that message is not on the server yet", "sync and try again");
    auto visiting = work.source->visit(place->folder.remote, std::nullopt, true, work.token);
    auto visit = co_await visiting;
    if (visit->state().uidvalidity != place->folder.uidvalidity)
        throw make_error(Code::uidvalidity, "the folder was made anew on the server",
                         "sync it and try again");
    BodyPen pen(
        work.store, place->folder.id, BodyPen::As::anybody, [](std::int64_t) {}, work.token);
    UidSet one;
    one.add(static_cast<std::uint32_t>(place->uid));
    auto reading = fetch_into(pen, *visit, one, work.token);
    co_await reading;
}

namespace {

// Which policy a folder's bodies were all here for, last: another one, or none, and they are due. Facts before this one
// went by other names.
std::string here_name(store::Id folder) {
    return fmt::format("bodies here {}", folder);
}

// The policy as one number that is never 0.
std::int64_t number_of(const BodyPolicy& policy) {
    return !policy.fetch ? -1 : policy.newest_days ? *policy.newest_days : INT32_MAX;
}

} // namespace

bool bodies_are_due(store::Database& database, store::Id folder, const BodyPolicy& policy) {
    auto row = database.prepare("SELECT value FROM fact WHERE name = ?");
    auto name = here_name(folder);
    return !row.bind(name).step() || row.integer(0) != number_of(policy);
}

void note_bodies_due(store::Change& change, store::Id folder) {
    change.set_fact(here_name(folder), 0);
}

void note_bodies_here(store::Change& change, const std::vector<store::Id>& folders,
                      const BodyPolicy& policy) {
    for (auto folder : folders)
        change.set_fact(here_name(folder), number_of(policy));
}

} // namespace himalaya::sync
