#include "imap/pool.hpp"

#include "imap/watch.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <uv.h>

namespace himalaya::imap {

namespace {

constexpr uint64_t house_ms = 5'000;
// A connection that was quiet for so long is asked before it is trusted with work.
constexpr int64_t trusted_ms = 60'000;
constexpr uint64_t health_ms = 5'000;
// After a while a limit that the server set is tested again.
constexpr int64_t day_part_ms = 3'600'000;

int64_t wall_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// Of the interfaces that lead out of this machine.
std::string interface_addresses() {
    std::string text;
    uv_interface_address_t* list = nullptr;
    int count = 0;
    if (uv_interface_addresses(&list, &count) != 0)
        return text;
    for (int i = 0; i < count; ++i) {
        if (list[i].is_internal)
            continue;
        char name[64] = {};
        if (list[i].address.address4.sin_family == AF_INET)
            uv_ip4_name(&list[i].address.address4, name, sizeof name);
        else
            uv_ip6_name(&list[i].address.address6, name, sizeof name);
        text.append(name).append(" ");
    }
    uv_free_interface_addresses(list, count);
    return text;
}

// It let us in before, so it is the number of connections that it does not like.
bool may_mean_too_many(const Error& error) {
    return error.code == Fault::busy || error.code == Fault::throttled || error.code == Fault::auth ||
           error.code == Fault::offline;
}

} // namespace

uint64_t Backoff::failed(const Error& error, double chance) {
    uint64_t wait = uint64_t(1000) << (m_grows ? std::min(m_failures, 9u) : 0u);
    ++m_failures;
    wait = std::min<uint64_t>(wait, 300'000);
    wait = static_cast<uint64_t>(double(wait) * (0.75 + 0.5 * chance));
    return std::max(wait, static_cast<uint64_t>(wait_of(error)));
}

bool Surroundings::changed(int64_t wall, int64_t monotonic, std::string addresses) {
    int64_t offset = wall - monotonic;
    bool jumped = !m_first && std::abs(offset - m_offset_ms) > 5'000;
    bool moved = !m_first && addresses != m_addresses;
    m_first = false;
    m_offset_ms = offset;
    m_addresses = std::move(addresses);
    return jumped || moved;
}

Pool::Pool(net::Net& net, Account account)
    : m_net(net), m_account(std::make_shared<const Account>(std::move(account))),
      m_learnt(std::make_shared<Learnt>()), m_cancel(net.loop().token()), m_house(net.loop(), "imap"),
      m_backoff(m_account->pauses_grow), m_limit(std::max<size_t>(m_account->pool_size, 1)) {
    m_house.unref();
}

Pool::~Pool() {
    m_watch.reset();
    for (auto& session : m_sessions)
        session->unlisten(this);
}

double Pool::chance() {
    m_chance ^= m_chance << 13;
    m_chance ^= m_chance >> 7;
    m_chance ^= m_chance << 17;
    return double(m_chance >> 11) / double(uint64_t(1) << 53);
}

loop::Task<void> Pool::open(loop::CancelToken token) {
    m_chance ^= static_cast<uint64_t>(wall_ms()) * 0x2545f4914f6cdd1d;
    auto session = co_await connect(token);
    m_house.start(house_ms, house_ms, [this] { keep_house(); });
}

loop::Task<std::shared_ptr<Session>> Pool::connect(loop::CancelToken token) {
    if (m_closed)
        throw make_error(Fault::cancelled, "The account was closed.");
    auto self = shared_from_this();
    struct Opening {
        Pool& pool;
        explicit Opening(Pool& p) : pool(p) { ++pool.m_opening; }
        ~Opening() {
            --pool.m_opening;
            pool.m_opened.let_one();
        }
    };
    std::shared_ptr<Session> session;
    {
        Opening opening(*this);
        try {
            ++m_connections_opened;
            session = co_await Session::open(m_net, m_account, m_learnt, token);
        } catch (Error& error) {
            if (error.code != Fault::cancelled) {
                m_failed = error;
                m_not_before_ms = loop().now_ms() + static_cast<int64_t>(m_backoff.failed(error, chance()));
            }
            throw;
        }
        if (m_closed) {
            session->close(make_error(Fault::cancelled, "The account was closed."));
            throw make_error(Fault::cancelled, "The account was closed.");
        }
        ++m_logins;
        m_failed.reset();
        m_backoff.succeeded();
        session->listen(this);
        m_sessions.push_back(session);
    }
    co_return session;
}

std::shared_ptr<Session> Pool::best(const std::string& folder, bool idle_only) const {
    std::shared_ptr<Session> found;
    auto watching = m_watching.lock();
    auto score = [&](const Session& session) {
        // Fewer users first, then the folder that is open already, then the one used last (its peer is alive).
        return std::tuple(session.users(), session.folder() == folder ? 0 : 1, -session.last_used_ms());
    };
    for (auto& session : m_sessions) {
        if (!session->alive() || session == watching || (idle_only && session->busy()))
            continue;
        if (!found || score(*session) < score(*found))
            found = session;
    }
    return found;
}

loop::Task<bool> Pool::healthy(std::shared_ptr<Session> session, loop::CancelToken token) {
    if (loop().now_ms() - session->last_used_ms() < trusted_ms)
        co_return true;
    loop::Deadline deadline(loop(), health_ms, token, "The connection did not answer.");
    try {
        Request request{Command(session->dialect(), "NOOP"), "NOOP"};
        Ticket ticket = session->post(std::move(request));
        co_await session->answer(ticket, deadline.token());
        co_return true;
    } catch (Error& error) {
        token.throw_if_cancelled();
        session->close(error);
    }
    co_return false;
}

loop::Task<std::shared_ptr<Session>> Pool::take(std::string folder, Priority priority,
                                                loop::CancelToken token) {
    auto self = shared_from_this();
    while (true) {
        if (m_closed)
            throw make_error(Fault::cancelled, "The account was closed.");
        if (auto idle = best(folder, true)) {
            bool answers = co_await healthy(idle, token);
            if (answers)
                co_return idle;
            continue;
        }
        // A question that needs no folder is answered by the watch, which is logged in anyway.
        auto watching = m_watching.lock();
        if (folder.empty() && watching && watching->alive())
            co_return watching;
        if (watching && !watching->alive())
            watching.reset();
        size_t in_pool = m_sessions.size() - (watching ? 1 : 0);
        if (in_pool + m_opening < std::max<size_t>(m_limit, watching ? 0 : 1)) {
            // Before the time to try again has come, what nobody waits for waits. A sync does not, as the watch goes on
            // trying and puts that time off each time: it tries by itself, or hears what it would have to wait for.
            bool early = m_failed && loop().now_ms() < m_not_before_ms;
            bool asked_to_wait = early && m_failed->code == Fault::throttled && priority == Priority::ui;
            if (early && priority != Priority::user && (asked_to_wait || !passes_by_itself(m_failed->code)))
                throw Error(*m_failed);
            if (early && priority == Priority::background) {
                auto wait = static_cast<uint64_t>(m_not_before_ms - loop().now_ms());
                co_await loop::sleep(loop(), wait, token);
                continue;
            }
            std::optional<Error> failed;
            try {
                auto fresh = co_await connect(token);
                co_return fresh;
            } catch (Error& error) {
                failed = error;
            }
            auto shared = to_share(folder);
            if (!shared || !may_mean_too_many(*failed))
                throw Error(*failed);
            limit_to(in_pool, *failed);
            co_return shared;
        }
        if (auto shared = to_share(folder))
            co_return shared;
        // All that may be open are being opened.
        co_await m_opened.wait(token);
    }
}

std::shared_ptr<Session> Pool::to_share(const std::string& folder) const {
    auto shared = best(folder, false);
    auto watching = m_watching.lock();
    return shared || !watching || !watching->alive() ? shared : watching;
}

std::shared_ptr<Session> Pool::watching(const std::string& folder) const {
    auto session = m_watching.lock();
    if (!session || !session->alive() || session->folder() != folder || best(folder, true))
        return nullptr;
    return session;
}

loop::Task<std::shared_ptr<Session>> Pool::open_for_watch(loop::CancelToken token) {
    auto self = shared_from_this();
    // An idle connection is made the watch when the server allows only one; else it has its own.
    std::shared_ptr<Session> session;
    if (m_limit <= 1)
        session = best({}, true);
    std::optional<Error> failed;
    if (!session) {
        try {
            session = co_await connect(token);
        } catch (Error& error) {
            failed = error;
        }
    }
    if (failed) {
        // Where no further one is allowed, one of the pool's.
        if (may_mean_too_many(*failed))
            session = best({}, false);
        if (!session)
            throw Error(*failed);
        limit_to(m_sessions.size() - 1, *failed);
    }
    m_watching = session;
    co_return session;
}

void Pool::give_back(const std::shared_ptr<Session>& session) {
    if (m_watching.lock() == session)
        m_watching.reset();
    if (session->users() > 0)
        session->set_idling(false);
    else
        session->close(make_error(Fault::cancelled, "Nothing is watched any more."));
}

void Pool::limit_to(size_t size, const Error& why) {
    if (size >= m_limit)
        return;
    m_limit = size;
    auto allowed = m_sessions.size();
    m_note = fmt::format("The server allows {} connection{} at a time: {}", allowed, allowed == 1 ? "" : "s",
                         why.message);
}

loop::Task<std::vector<FolderInfo>> Pool::folders(loop::CancelToken token) {
    if (m_folders)
        co_return *m_folders;
    auto session = co_await take({}, Priority::ui, token);
    std::string all = "*";
    auto found = co_await list(session, all, false, token);
    m_folders = found;
    co_return found;
}

Watch& Pool::watch() {
    if (!m_watch)
        m_watch = std::make_unique<Watch>(*this);
    return *m_watch;
}

void Pool::on_news(Session&, const Response&) {}

void Pool::on_gone(Session& session, const Error&) {
    auto stats = session.stats();
    m_gone.round_trips += stats.round_trips;
    m_gone.bytes_in += stats.bytes_in;
    m_gone.bytes_out += stats.bytes_out;
    m_gone.malformed += session.engine().malformed();
    session.unlisten(this);
    auto self = shared_from_this();
    std::erase_if(m_sessions, [&](auto& known) { return known.get() == &session; });
    forget_folders();
    m_opened.let_one();
}

void Pool::keep_house() {
    auto self = shared_from_this();
    auto monotonic = loop().now_ms();
    if (m_surroundings.changed(wall_ms(), monotonic, interface_addresses()))
        surroundings_changed();
    auto watching = m_watching.lock();
    auto sessions = m_sessions;
    for (auto& session : sessions)
        if (session != watching && !session->busy() &&
            monotonic - session->last_used_ms() >= static_cast<int64_t>(m_account->idle_timeout_ms))
            session->close(make_error(Fault::cancelled, "The connection was idle."));
    if (m_limit < m_account->pool_size && monotonic - m_not_before_ms > day_part_ms) {
        m_limit = m_account->pool_size;
        m_note.clear();
    }
}

void Pool::surroundings_changed() {
    auto self = shared_from_this();
    m_not_before_ms = 0;
    auto watching = m_watching.lock();
    auto sessions = m_sessions;
    for (auto& session : sessions)
        if (session != watching && !session->busy())
            session->close(make_error(Fault::offline, "The machine slept or changed its network."));
    if (m_watch)
        m_watch->ask_now();
}

void Pool::close() {
    if (m_closed)
        return;
    auto self = shared_from_this();
    m_closed = true;
    m_house.stop();
    if (m_watch)
        m_watch->stop();
    auto error = make_error(Fault::cancelled, "The account was closed.");
    auto sessions = m_sessions;
    for (auto& session : sessions)
        session->close(error);
    m_cancel.cancel(error);
}

PoolStats Pool::stats() const {
    PoolStats stats = m_gone;
    stats.connections = m_sessions.size();
    stats.connections_opened = m_connections_opened;
    stats.logins = m_logins;
    for (auto& session : m_sessions) {
        auto own = session->stats();
        stats.round_trips += own.round_trips;
        stats.bytes_in += own.bytes_in;
        stats.bytes_out += own.bytes_out;
        stats.malformed += session->engine().malformed();
    }
    stats.limit = std::max<size_t>(m_limit, 1);
    stats.note = m_note;
    stats.mode = m_watch ? m_watch->mode() : "none";
    return stats;
}

} // namespace himalaya::imap
