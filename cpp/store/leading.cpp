// Who leads: one instance at a time, by a lock that the kernel frees when its holder ends, and an epoch in the database
// that every commit and every command of a leader checks. Taking the lead raises the epoch, so that a leader that was
// stopped and wakes finds itself overtaken before it can do harm.
#include "base/log.hpp"
#include "base/time.hpp"
#include "store/body_stream.hpp"
#include "store/store.hpp"

namespace himalaya::store {

namespace {

constexpr std::string_view OVERTAKEN = R"({"overtaken":true})";

// A turn of sweeping is one transaction; others write between two.
constexpr int BODIES_A_TURN = 100;
constexpr const char* PAGES_A_TURN = "PRAGMA incremental_vacuum(1000)";

std::int64_t raise_epoch(Change& change, const std::string& who) {
    auto epoch = change.fact("epoch") + 1;
    change.set_fact("epoch", epoch);
    change.database().prepare("INSERT OR REPLACE INTO fact(name, value) VALUES('leader', ?)").bind(who).run();
    // What the last leader took and did not finish is ours to do.
    reopen_requests(change);
    forget_old_requests(change, time::now_s());
    change.seq();
    return epoch;
}

} // namespace

Error overtaken() {
    auto error = make_error(Code::locked, "another Neovim has taken over this account's sync",
                            "nothing is lost: it goes on there");
    error.detail = OVERTAKEN;
    return error;
}

bool is_overtaken(const Error& error) {
    return error.code == Code::locked && error.detail == OVERTAKEN;
}

loop::Task<bool> Store::lead(loop::CancelToken token) {
    auto self = shared_from_this();
    while (m_taking)
        co_await m_taken.wait(token);
    if (m_lead)
        co_return true;
    struct Taking {
        Store& store;
        explicit Taking(Store& it) : store(it) {
            store.m_taking = true;
            store.m_taken.close();
        }
        ~Taking() {
            store.m_taking = false;
            store.m_taken.open();
        }
    } one_at_a_time(*this);
    auto path = m_place.lead();
    auto taking = m_files.call<std::shared_ptr<instance::NamedLock>>(
        [path]() -> std::shared_ptr<instance::NamedLock> {
            auto lock = instance::NamedLock::take(path).or_throw();
            return lock ? std::make_shared<instance::NamedLock>(std::move(*lock)) : nullptr;
        },
        token);
    auto lock = co_await taking;
    if (lock && !m_lead) {
        auto beginning = begin_leading(lock, token);
        co_await beginning;
    }
    co_return leads();
}

loop::Task<> Store::begin_leading(std::shared_ptr<instance::NamedLock> lock, loop::CancelToken token) {
    auto raising =
        write<std::int64_t>([who = instance](Change& change) { return raise_epoch(change, who); }, token);
    auto epoch = co_await raising;
    if (m_closed)
        co_return;
    now_leading(std::move(*lock), epoch);
}

void Store::now_leading(instance::NamedLock lock, std::int64_t epoch) {
    m_epoch = m_seen_epoch = epoch;
    m_leader = instance;
    m_lead.emplace(std::move(lock));
    if (m_wants_lead)
        *m_wants_lead = false; // who waits for it in our name would only have it from ourselves
    if (on_lead)
        on_lead(true);
}

void Store::cease_leading() {
    if (!m_lead)
        return;
    m_lead.reset();
    m_epoch = 0;
    if (on_lead)
        on_lead(false);
}

void Store::give_up_lead() {
    cease_leading();
}

void Store::want_lead() {
    if (m_lead || m_closed || (m_wants_lead && *m_wants_lead))
        return;
    m_wants_lead = std::make_shared<std::atomic<bool>>(true);
    auto path = m_place.lead();
    bool waits = m_aside.run([path, wants = m_wants_lead, weak = weak_from_this()]() -> net::Aside::Finish {
        auto taken = instance::NamedLock::wait(path, [wants] { return !wants->load(); });
        auto lock = taken && *taken ? std::make_shared<instance::NamedLock>(std::move(**taken)) : nullptr;
        return [weak, lock, wants] {
            *wants = false;
            auto self = weak.lock();
            if (!self || !lock || self->m_closed || self->m_lead)
                return;
            loop::start(self->begin_leading(lock, self->m_cancel.token()), [](std::optional<Error> error) {
                if (error && error->code != Code::cancelled)
                    log::warn("store", "the lead was free and could not be taken: {}", error->message);
            });
        };
    });
    if (!waits)
        *m_wants_lead = false;
}

loop::Task<bool> Store::take_over(std::int64_t epoch, loop::CancelToken token) {
    if (m_lead)
        co_return true;
    auto self = shared_from_this();
    auto path = m_place.lead();
    struct Taken {
        std::shared_ptr<instance::NamedLock> lock;
        std::int64_t epoch = 0;
    };
    auto taking = write<Taken>(
        [path, epoch, who = instance](Change& change) -> Taken {
            // Inside the transaction: of two who try, the second finds the epoch raised.
            if (change.fact("epoch") != epoch)
                return {};
            auto lock = instance::NamedLock::replace(path).or_throw();
            if (!lock)
                return {};
            return {std::make_shared<instance::NamedLock>(std::move(*lock)), raise_epoch(change, who)};
        },
        token);
    auto taken = co_await taking;
    if (!taken.lock || m_closed)
        co_return false;
    log::info("store", "took the lead from {}, which gave no sign of life", m_leader);
    now_leading(std::move(*taken.lock), taken.epoch);
    co_return true;
}

loop::Task<> Store::check_lead(loop::CancelToken token) {
    auto reading = read<std::int64_t>(
        [](Database& database) -> std::int64_t {
            auto row = database.prepare("SELECT value FROM fact WHERE name = 'epoch'");
            return row.step() ? row.integer(0) : 0;
        },
        token);
    auto epoch = co_await reading;
    if (m_epoch == 0 || epoch != m_epoch)
        throw overtaken();
}

void Store::on_news(const News& news) {
    // Epochs only rise: news of a lower one was read before we took the lead and is told after.
    if (news.epoch < m_seen_epoch)
        return;
    m_seen_epoch = news.epoch;
    m_leader = news.leader;
    if (m_lead && m_epoch != news.epoch)
        cease_leading();
}

loop::Task<> Store::sweep() {
    if (m_sweeping || m_closed)
        co_return;
    auto self = shared_from_this();
    struct Sweeping {
        bool& flag;
        explicit Sweeping(bool& it) : flag(it) { flag = true; }
        ~Sweeping() { flag = false; }
    } sweeping(m_sweeping);
    auto token = m_cancel.token();
    m_sweep_due.store(false, std::memory_order_relaxed);
    for (bool more = true; more;) {
        auto turn = write<bool>(
            [this](Change& change) { return m_bodies.sweep(change, BODIES_A_TURN, time::now_s()); }, token);
        more = co_await turn;
        auto giving_back = m_writer.call<void>([this] { m_database->execute(PAGES_A_TURN); }, token);
        co_await giving_back;
    }
    auto looking = read_behind<int>(
        [large = m_place.large()](Database& database) {
            return sweep_large_files(database, large, time::now_s());
        },
        token);
    co_await looking;
}

} // namespace himalaya::store
