// An account's connections: as many as the user and the server allow, opened when needed, given up when idle, opened
// again when lost. A task takes the session that lets it start soonest: one that has its folder open and nothing to
// do, else any idle one, else a new one, else it shares, and bulk work steps aside between its windows.
#pragma once

#include "imap/folder.hpp"
#include "imap/session.hpp"
#include "loop/timer.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace himalaya::imap {

class Watch;

// When to try again: 1 s doubled up to 5 minutes, or always 1 s, a quarter of it by chance, or what the server asked for.
class Backoff {
  public:
    explicit Backoff(bool grows = true) : m_grows(grows) {}
    // `chance` is between 0 and 1.
    uint64_t failed(const Error& error, double chance);
    void succeeded() { m_failures = 0; }
    unsigned failures() const { return m_failures; }

  private:
    bool m_grows;
    unsigned m_failures = 0;
};

// Tells from two clocks, one of which stands still in a suspended machine, that it slept; and from the addresses of
// its interfaces that it is in another network.
class Surroundings {
  public:
    // True when something changed since the last call.
    bool changed(int64_t wall_ms, int64_t monotonic_ms, std::string addresses);

  private:
    bool m_first = true;
    int64_t m_offset_ms = 0;
    std::string m_addresses;
};

struct PoolStats {
    size_t connections = 0;
    uint64_t connections_opened = 0;
    uint64_t logins = 0;
    uint64_t round_trips = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    uint64_t malformed = 0;
    size_t limit = 0;
    std::string mode; // of the watch: notify idle poll, or none
    std::string note; // what the user may want to know: the server allows fewer connections
};

class Pool : public std::enable_shared_from_this<Pool>, Listener {
  public:
    Pool(net::Net& net, Account account);
    ~Pool() override;

    // The first connection: logged in, capabilities known.
    loop::Task<void> open(loop::CancelToken token);
    // A session for work in `folder` (empty: in none). It may be shared; hold the folder with Session::use().
    loop::Task<std::shared_ptr<Session>> take(std::string folder, Priority priority, loop::CancelToken token);
    // The watch's own connection, where it has this folder open and no other connection is idle; else none.
    std::shared_ptr<Session> watching(const std::string& folder) const;
    // A connection of its own for the watch, beyond the pool's size when the server lets it. Where it lets us have one
    // alone, the watch has that, and steps aside for whoever needs another folder.
    loop::Task<std::shared_ptr<Session>> open_for_watch(loop::CancelToken token);
    // The watch needs it no more. It is closed, unless somebody else is at work on it.
    void give_back(const std::shared_ptr<Session>& session);

    // LIST "*", kept until a connection was lost or forget_folders().
    loop::Task<std::vector<FolderInfo>> folders(loop::CancelToken token);
    void forget_folders() { m_folders.reset(); }

    // One for all watchers of the account.
    Watch& watch();

    // The machine slept or changed its network: idle connections are given up, the watch is asked at once.
    void surroundings_changed();
    // LOGOUT everywhere; what runs ends with `cancelled`.
    void close();
    bool closed() const { return m_closed; }

    net::Net& net() { return m_net; }
    loop::Loop& loop() { return m_net.loop(); }
    const Account& account() const { return *m_account; }
    const std::shared_ptr<Learnt>& learnt() { return m_learnt; }
    const Capabilities& capabilities() const { return m_learnt->capabilities; }
    PoolStats stats() const;
    loop::CancelToken token() const { return m_cancel.token(); }
    double chance();

  private:
    loop::Task<std::shared_ptr<Session>> connect(loop::CancelToken token);
    loop::Task<bool> healthy(std::shared_ptr<Session> session, loop::CancelToken token);
    std::shared_ptr<Session> best(const std::string& folder, bool idle_only) const;
    std::shared_ptr<Session> to_share(const std::string& folder) const;
    void limit_to(size_t size, const Error& why);
    void keep_house();

    void on_news(Session& session, const Response& response) override;
    void on_gone(Session& session, const Error& error) override;

    net::Net& m_net;
    std::shared_ptr<const Account> m_account;
    std::shared_ptr<Learnt> m_learnt;
    std::vector<std::shared_ptr<Session>> m_sessions;
    std::weak_ptr<Session> m_watching;
    std::unique_ptr<Watch> m_watch;
    loop::CancelSource m_cancel;
    loop::Timer m_house;
    loop::Gate m_opened; // a connection attempt ended
    Surroundings m_surroundings;
    Backoff m_backoff;
    std::optional<Error> m_failed; // the last attempt's, until one succeeds
    int64_t m_not_before_ms = 0;
    size_t m_limit; // the watch's not counted; 0 while that is the only one the server allows
    size_t m_opening = 0;
    std::string m_note;
    std::optional<std::vector<FolderInfo>> m_folders;
    PoolStats m_gone; // of connections that are no more
    uint64_t m_connections_opened = 0;
    uint64_t m_logins = 0;
    uint64_t m_chance = 0x9e3779b97f4a7c15;
    bool m_closed = false;
};

} // namespace himalaya::imap
