#include "sync/folder_sync.hpp"

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/folders.hpp"
#include "sync/body_line.hpp"
#include "sync/pens.hpp"

#include <fmt/format.h>
#include <uv.h>

#include <algorithm>

namespace himalaya::sync {

namespace {

// What a first screen shows, and what is asked for in one go after it.
constexpr std::int64_t FIRST_PAGE = 100;
constexpr std::int64_t WINDOW = 10'000;
// After the first page so many, to see how fast the line is; above this speed bodies come along with their envelopes,
// which costs the server and the store half of what it costs to come back for them. On a slower line a list of
// everything is worth more than the text of its newest part.
constexpr std::int64_t TRIAL = 1'000;
constexpr std::int64_t FAST_BYTES_PER_MS = 3'000;
// Flags without CHANGEDSINCE: so many at a time, so that none of it is ever large.
constexpr std::uint64_t FLAG_WINDOW = 5'000;

std::string withheld_name(store::Id folder) {
    return fmt::format("withheld {}", folder);
}
std::string allowed_name(store::Id folder) {
    return fmt::format("allowed {}", folder);
}

UidSet set_of(const std::string& text) {
    return UidSet::parse(text).value_or(UidSet());
}

// Rows with names outside of what is known to be complete: a window that was cut off, or a move of ours that the server
// named before the folder was looked at. Nobody tells of their end.
UidSet stray_uids(store::Database& database, store::Id folder, const UidSet& unknown) {
    UidSet strays;
    for (auto range : unknown.ranges()) {
        auto row = database.prepare("SELECT remote FROM message WHERE folder = ? AND remote BETWEEN ? AND ? "
                                    "ORDER BY remote");
        row.bind(folder, range.first, range.last);
        while (row.step())
            strays.add(static_cast<std::uint32_t>(row.integer(0)));
    }
    return strays;
}

// UIDs here among `known` that the source does not have any more.
std::vector<std::int64_t> missing_uids(store::Database& database, store::Id folder, const UidSet& known,
                                       const UidSet& present) {
    std::vector<std::int64_t> missing;
    auto row = database.prepare("SELECT remote FROM message WHERE folder = ? AND remote IS NOT NULL");
    row.bind(folder);
    while (row.step()) {
        auto uid = static_cast<std::uint32_t>(row.integer(0));
        if (known.contains(uid) && !present.contains(uid))
            missing.push_back(uid);
    }
    return missing;
}

// One sync of one folder, as steps.
class FolderSync {
  public:
    FolderSync(Work& work, store::Folder folder, bool urgent, Complete complete)
        : m_work(work), m_folder(std::move(folder)), m_urgent(urgent), m_complete(std::move(complete)),
          m_known(set_of(m_folder.known)) {}

    loop::Task<FolderOutcome> run() {
        m_outcome.first = m_folder.synced_at == 0; // also one that was cut off before its end
        Known known{m_folder.uidvalidity.value_or(0), m_folder.modseq, m_known};
        auto visiting = m_work.source->visit(m_folder.remote, known, m_urgent, m_work.token);
        m_visit = co_await visiting;
        const auto& state = m_visit->state();
        if (!m_folder.uidvalidity || *m_folder.uidvalidity != state.uidvalidity) {
            auto renewing = begin_anew();
            co_await renewing;
        }
        auto changing = changes();
        co_await changing;
        auto arriving = arrivals();
        co_await arriving;
        auto ending = finish();
        co_await ending;
        co_return std::move(m_outcome);
    }

  private:
    template<class F>
    loop::Task<> write(F work) {
        return m_work.store->write_as_leader<void>(std::move(work), m_work.token);
    }

    // The folder was made anew on the server (or never seen): no UID of ours means anything. Rows lose their names
    // and get new ones as their messages are told of again; what stays without one is judged at the end.
    loop::Task<> begin_anew() {
        if (m_folder.uidvalidity)
            log::warn("sync", "{}: UIDVALIDITY changed from {} to {}", m_folder.path, *m_folder.uidvalidity,
                      m_visit->state().uidvalidity);
        m_renewed = m_folder.uidvalidity.has_value();
        m_known = UidSet();
        m_folder.modseq = 0;
        auto writing =
            write([folder = m_folder.id, uidvalidity = m_visit->state().uidvalidity](store::Change& change) {
                store::forget_names(change, folder);
                store::Progress progress;
                progress.uidvalidity = uidvalidity;
                progress.uidnext = 1;
                progress.modseq = 0;
                progress.known = "";
                store::note_progress(change, folder, progress);
            });
        co_await writing;
    }

    // Flags and expunges of what we know. The modseq rises in the transaction that commits all of them.
    loop::Task<> changes() {
        if (m_known.empty())
            co_return;
        std::vector<store::FlagNews> news = m_visit->take_flag_news();
        UidSet vanished = m_visit->take_vanished();
        UidSet present;
        UidSet looked = m_known;
        bool diffed = false;
        if (!m_visit->told_changes()) {
            auto keep = [&](store::FlagNews one) {
                present.add(static_cast<std::uint32_t>(one.uid));
                news.push_back(std::move(one));
            };
            if (m_visit->counts_changes() && m_folder.modseq > 0) {
                auto asking = m_visit->flags(m_known, m_folder.modseq, keep, m_work.token);
                co_await asking;
                auto counting = m_work.store->read<std::int64_t>(
                    [folder = m_folder.id](store::Database& database) {
                        return named_rows(database, folder);
                    },
                    m_work.token);
                auto rows = co_await counting;
                auto total = m_visit->state().total;
                // Nothing new and as many as here: nothing left. Else the server must say which are there.
                bool came = m_visit->state().uidnext != m_folder.uidnext;
                if (came || !total || *total != rows) {
                    auto looking = m_visit->present(m_known, m_work.token);
                    present = co_await looking;
                    diffed = true;
                }
            } else {
                // Without a word from the server only a thorough look goes through all of them.
                if (!m_work.thorough)
                    looked = m_known.newest(FLAG_WINDOW);
                for (UidSet left = looked; !left.empty();) {
                    UidSet window = left.newest(FLAG_WINDOW);
                    left = left.without(window);
                    auto asking = m_visit->flags(window, std::nullopt, keep, m_work.token);
                    co_await asking;
                }
                diffed = true;
            }
        }
        std::vector<std::int64_t> leaving;
        if (diffed) {
            auto judging = judge(looked, present);
            leaving = co_await judging;
        }
        // Then the modseq rises with the end of the sync, in one transaction.
        if (news.empty() && vanished.empty() && leaving.empty())
            co_return;
        std::optional<std::int64_t> modseq;
        if (m_visit->counts_changes())
            modseq = m_visit->state().modseq;
        auto updated = std::make_shared<std::pair<int, int>>();
        auto writing = write([folder = m_folder.id, news = std::move(news), vanished,
                              leaving = std::move(leaving), modseq, updated](store::Change& change) {
            updated->first = store::bring_flags(change, folder, news);
            for (auto range : vanished.ranges())
                updated->second += store::take_away(change, folder, range.first, range.last,
                                                    [](std::int64_t) { return true; });
            updated->second += store::take_away(change, folder, leaving);
            store::Progress progress;
            progress.modseq = modseq;
            store::note_progress(change, folder, progress);
        });
        co_await writing;
        m_outcome.updated += updated->first;
        m_outcome.expunged += updated->second;
    }

    // Which of the missing ones may leave: all, or none until the user said yes.
    loop::Task<std::vector<std::int64_t>> judge(UidSet looked, UidSet present) {
        struct Judged {
            std::vector<std::int64_t> missing;
            std::int64_t withheld = 0;
        };
        auto judging = m_work.store->write_as_leader<Judged>(
            [folder = m_folder.id, looked, present, before = m_outcome.withheld](store::Change& change) {
                auto& database = change.database();
                Judged judged{missing_uids(database, folder, looked, present), 0};
                auto missing = static_cast<std::int64_t>(judged.missing.size());
                bool allowed = change.fact(allowed_name(folder)) != 0;
                if (!allowed && Guard::asks(missing, named_rows(database, folder))) {
                    judged.missing.clear();
                    judged.withheld = missing;
                }
                change.set_fact(withheld_name(folder), before + judged.withheld);
                return judged;
            },
            m_work.token);
        auto judged = co_await judging;
        m_outcome.withheld += judged.withheld;
        co_return std::move(judged.missing);
    }

    loop::Task<> look_for_strays(UidSet unknown) {
        auto asking = m_work.store->read<UidSet>(
            [folder = m_folder.id, unknown](store::Database& database) {
                return stray_uids(database, folder, unknown);
            },
            m_work.token);
        auto strays = co_await asking;
        if (strays.empty())
            co_return;
        auto looking = m_visit->present(strays, m_work.token);
        auto present = co_await looking;
        auto judging = judge(strays, std::move(present));
        auto leaving = co_await judging;
        if (leaving.empty())
            co_return;
        auto count = static_cast<std::int64_t>(leaving.size());
        auto writing = write([folder = m_folder.id, leaving = std::move(leaving)](store::Change& change) {
            store::take_away(change, folder, leaving);
        });
        co_await writing;
        m_outcome.expunged += count;
    }

    loop::Task<> arrivals() {
        const auto& state = m_visit->state();
        auto uidnext = state.uidnext.value_or(0);
        if (uidnext == 0) {
            // The server does not say: the highest UID there is.
            UidSet everything{imap::Range{1, imap::last_of_all}};
            auto looking = m_visit->present(everything, m_work.token);
            auto present = co_await looking;
            uidnext = static_cast<std::int64_t>(present.max()) + 1;
        }
        m_uidnext = uidnext;
        auto windows = windows_of(m_known, uidnext, FIRST_PAGE, WINDOW);
        if (!windows.empty()) {
            UidSet unknown;
            for (const auto& window : windows)
                unknown = unknown.united(window);
            auto tidying = look_for_strays(std::move(unknown));
            co_await tidying;
        }
        auto expected = state.total ? std::max<std::int64_t>(0, *state.total - m_folder.total) : 0;
        bool all_bodies = m_work.bodies.fetch && !m_work.bodies.newest_days;
        m_work.progress->expect(m_folder.path, windows.empty() ? 0 : expected, all_bodies);
        if (windows.size() > 1 && windows[1].count() > TRIAL) {
            auto trial = windows[1].newest(TRIAL);
            windows[1] = windows[1].without(trial);
            windows.insert(windows.begin() + 1, std::move(trial));
        }
        for (std::size_t i = 0; i < windows.size(); ++i) {
            bool fast = i >= 2 && all_bodies && m_bytes_per_ms >= FAST_BYTES_PER_MS;
            if (fast)
                // As one: between windows nothing is on its way.
                for (; windows.size() > i + 1; windows.pop_back())
                    windows[i] = windows[i].united(windows.back());
            auto reading = fast ? letters(windows[i], i + 1 == windows.size())
                                : envelopes(windows[i], i + 1 == windows.size());
            co_await reading;
            m_complete(m_visit->state().uidvalidity, windows[i]);
        }
    }

    // What came so far is known; in the transaction that holds the last of it.
    Noting noting() {
        return [this](const UidSet& done) -> Also {
            m_known = m_known.united(done);
            auto modseq = m_visit->counts_changes() ? m_visit->state().modseq : std::nullopt;
            return [folder = m_folder.id, known = m_known.text(), modseq](store::Change& change) {
                store::Progress progress;
                progress.known = known;
                progress.modseq = modseq;
                store::note_progress(change, folder, progress);
                note_bodies_due(change, folder);
            };
        };
    }

    std::function<void(std::int64_t)> counting() {
        return [this](std::int64_t count) {
            m_work.progress->count(count);
            m_work.on_progress();
        };
    }

    loop::Task<> envelopes(UidSet window, bool last) {
        EnvelopePen pen(m_work.store, m_folder.id, counting(), noting(), m_work.token);
        auto reading = m_visit->envelopes(window, pen, m_work.token);
        auto writing = keep(pen, std::move(reading), std::move(window), last);
        co_await writing;
    }

    loop::Task<> letters(UidSet window, bool last) {
        auto whole = [this](std::int64_t count) {
            m_work.progress->count_texts(count);
            counting()(count);
        };
        BodyPen pen(m_work.store, m_folder.id, BodyPen::As::leader, whole, m_work.token);
        pen.note(noting());
        auto reading = m_visit->letters(window, pen, m_work.token);
        auto writing = keep(pen, std::move(reading), std::move(window), last);
        co_await writing;
    }

    template<class Pen>
    loop::Task<> keep(Pen& pen, loop::Task<> reading, UidSet window, bool last) {
        auto began = uv_hrtime();
        auto bytes = m_work.source->stats().bytes;
        std::optional<Error> failure;
        try {
            co_await reading;
        } catch (const Error& error) {
            failure = error;
        }
        auto ms = static_cast<std::int64_t>((uv_hrtime() - began) / 1'000'000);
        m_bytes_per_ms = (m_work.source->stats().bytes - bytes) / std::max<std::int64_t>(ms, 1);
        Also also;
        if (!failure) {
            pen.on_done(window);
            if (last)
                also = ending();
        }
        auto finishing = pen.finish(
            std::move(also)); // also when reading failed: what came is kept, but not called complete
        co_await finishing;
        if (failure)
            throw Error(*failure);
        const auto& fresh = pen.fresh();
        m_outcome.fresh.insert(m_outcome.fresh.end(), fresh.begin(), fresh.end());
        m_outcome.updated += pen.updated();
    }

    // The folder is as the server said at the beginning.
    Also ending() {
        m_ended = true;
        auto state = m_visit->state();
        auto modseq = m_visit->counts_changes() ? state.modseq : std::nullopt;
        return [folder = m_folder.id, state, modseq, uidnext = m_uidnext, renewed = m_renewed,
                first = m_outcome.first, result = m_judged](store::Change& change) {
            bool allowed = change.fact(allowed_name(folder)) != 0;
            if (renewed || allowed || store::has_unnamed(change.database(), folder)) {
                *result = store::judge_nameless(change, folder, [&](std::int64_t missing, std::int64_t rows) {
                    return !allowed && Guard::asks(missing, rows);
                });
                change.set_fact(withheld_name(folder), result->withheld);
                change.set_fact(allowed_name(folder), 0);
            }
            if (first)
                store::begin_news(change, folder);
            store::Progress progress;
            progress.uidnext = uidnext;
            progress.modseq = modseq;
            progress.server_total = state.total;
            progress.server_unread = state.unread;
            progress.synced_at = time::now_s();
            store::note_progress(change, folder, progress);
        };
    }

    loop::Task<> finish() {
        if (!m_ended) {
            auto writing = write(ending());
            co_await writing;
        }
        m_outcome.expunged += m_judged->left;
        m_outcome.withheld += m_judged->withheld;
        m_outcome.unmoved = m_judged->unmoved;
    }

    Work& m_work;
    store::Folder m_folder;
    bool m_urgent;
    Complete m_complete;
    UidSet m_known;
    std::unique_ptr<Visit> m_visit;
    std::int64_t m_uidnext = 1;
    bool m_renewed = false;
    bool m_ended = false;
    std::int64_t m_bytes_per_ms = 0;
    std::shared_ptr<store::Judged> m_judged = std::make_shared<store::Judged>(); // when it was
    FolderOutcome m_outcome;
};

} // namespace

std::int64_t named_rows(store::Database& database, store::Id folder) {
    auto row = database.prepare("SELECT count(*) FROM message WHERE folder = ? AND remote IS NOT NULL");
    return row.bind(folder).step() ? row.integer(0) : 0;
}

Local local_of(const store::Folder& folder, std::int64_t rows) {
    return {folder.uidvalidity,  folder.uidnext,       folder.modseq, set_of(folder.known), rows,
            folder.server_total, folder.server_unread, false};
}

loop::Task<FolderOutcome> sync_folder(Work& work, store::Folder folder, bool urgent, Complete complete) {
    FolderSync sync(work, std::move(folder), urgent, std::move(complete));
    auto running = sync.run();
    co_return co_await running;
}

void allow_deletions(store::Change& change, store::Id folder) {
    change.set_fact(allowed_name(folder), 1);
    // What the server told last must not look unchanged to the next sync.
    store::Progress progress;
    progress.uidnext = 0;
    store::note_progress(change, folder, progress);
}

std::int64_t withheld_deletions(store::Database& database, store::Id folder) {
    auto row = database.prepare("SELECT value FROM fact WHERE name = ?");
    auto name = withheld_name(folder);
    return row.bind(name).step() ? row.integer(0) : 0;
}

} // namespace himalaya::sync
