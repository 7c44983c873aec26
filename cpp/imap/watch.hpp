// News from the server as they happen: NOTIFY where there is, else IDLE, else a question every minute. One connection
// for all watched folders of an account; it comes back by itself, and then tells what changed meanwhile.
#pragma once

#include "imap/folder.hpp"
#include "imap/pool.hpp"

#include <list>
#include <map>
#include <set>
#include <string>

namespace himalaya::imap {

struct Change {
    enum class Kind { messages, expunged, flags, status } kind = Kind::status;
    std::string folder;
    std::optional<uint32_t> exists; // messages now in the folder
    std::optional<uint32_t> uid;    // flags: of which message
    std::vector<std::string> flags;
    UidSet vanished; // expunged, where the server names UIDs
    std::optional<uint32_t> uid_next;
    std::optional<uint64_t> modseq;
    std::optional<uint32_t> unseen;
};

std::string_view name_of(Change::Kind kind);

class Watch : Listener {
  public:
    using Id = uint64_t;

    explicit Watch(Pool& pool);
    ~Watch() override;

    // on_change runs inside reading: it must be quick and must not call back here. on_up is called whenever the folder
    // is watched from now on, for the first time and after a lost connection: what came before that is not told of.
    Id add(std::string folder, Function<void(const Change&)> on_change, Function<void()> on_up = {});
    void remove(Id id);
    void stop();
    // Something happened to the machine: is the server still there, and what is new?
    void ask_now();
    std::string mode() const;

  private:
    struct Watcher {
        Id id;
        std::string folder;
        Function<void(const Change&)> on_change;
        Function<void()> on_up;
        uint64_t up = 0; // the connection it was told of
        bool removed = false;
    };
    struct Seen { // to tell after a gap what changed
        uint32_t exists = 0;
        std::optional<uint32_t> uid_next;
        std::optional<uint64_t> modseq;
        std::optional<uint32_t> unseen;
        bool operator==(const Seen&) const = default;
    };
    enum class Mode { none, notify, idle, poll };

    loop::Task<void> run();
    loop::Task<bool> nap(uint64_t ms, loop::CancelToken token); // true when somebody woke it
    loop::Task<void> serve(std::shared_ptr<Session> session, loop::CancelToken token);
    loop::Task<bool> set_notify(std::shared_ptr<Session> session, loop::CancelToken token);
    loop::Task<void> ask_others(std::shared_ptr<Session> session, bool all, loop::CancelToken token);
    std::vector<std::string> folders() const; // the one to be selected first
    bool still_watched(const std::vector<std::string>& names) const;
    uint64_t renewal_ms() const;
    void tell(const Change& change);
    void tell_up();
    void note(const std::string& folder, Seen seen);
    void begin();

    void on_news(Session& session, const Response& response) override;
    void on_gone(Session& session, const Error& error) override;
    void on_wanted(Session& session) override;

    Pool& m_pool;
    std::list<Watcher> m_watchers;
    std::map<std::string, Seen> m_seen;
    std::set<std::string> m_missing; // watched, and the server does not open them
    std::shared_ptr<Session> m_session;
    loop::CancelSource m_cancel;
    std::optional<loop::CancelSource> m_nap; // wakes the task: a watcher came or went, or ask_now()
    Backoff m_backoff;
    std::string m_folder; // selected
    Mode m_mode = Mode::none;
    Id m_last = 0;
    uint64_t m_connection = 0;
    int64_t m_quiet_since_ms = 0;
    int64_t m_serves_since_ms = 0; // this connection; 0: not yet
    int m_telling = 0;
    bool m_running = false;
    bool m_stopped = false;
    bool m_overflowed = false; // the server gave NOTIFY up
    bool m_appeared = false;   // a folder that was missing is there
    int64_t m_overflowed_ms = 0;
};

} // namespace himalaya::imap
