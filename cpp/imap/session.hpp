// One connection to a server: the protocol engine with a wire, a clock and tasks that wait for answers. What can be
// asked of it (select, list, fetch, store, ...) are functions of their own in folder.hpp, fetch.hpp, search.hpp and
// change.hpp; here is what they share.
//
// Several tasks may use a session at once: requests are pipelined. A folder is held with `use()`, so that nobody
// selects another one under a task's feet; who waits with a higher priority goes first, and bulk work asks
// `is_wanted()` between its windows and steps aside.
#pragma once

#include "imap/account.hpp"
#include "imap/engine.hpp"
#include "imap/vendor.hpp"
#include "loop/loop.hpp"
#include "loop/once.hpp"
#include "loop/task.hpp"
#include "loop/timer.hpp"
#include "net/net.hpp"
#include "net/wire.hpp"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace himalaya::imap {

enum class Priority : uint8_t { user, ui, background };

// The end of a request, kept.
struct Answer {
    Verdict verdict = Verdict::ok;
    CodeKind kind = CodeKind::none;
    std::string code;
    std::string text;
    uint64_t number = 0;
    std::vector<Range> uids;
    std::vector<Range> targets;

    bool ok() const { return verdict == Verdict::ok; }
    Refusal refusal() const { return {verdict, code, text}; }
};

// A folder as SELECT described it and as the server's news changed it since.
struct Selected {
    std::string folder;
    bool read_only = false;
    uint32_t exists = 0;
    uint32_t uid_validity = 0;
    std::optional<uint32_t> uid_next;
    std::optional<uint64_t> highest_modseq;
    std::vector<std::string> flags;
    std::vector<std::string> permanent_flags;
    std::string mailbox_id;
};

class Session;

// One sent request. Posting many before awaiting the first is how pipelining is done.
struct Call {
    RequestId id = 0;
    Function<bool(const Response&)> on_data;
    Function<void(const Answer&)> on_answer;              // before whoever awaits it
    Function<LiteralSink*(const LiteralStart&)> on_large; // where a literal too large to hold goes
    loop::Once<Answer> once;
    bool abandoned = false;
};

// Who holds it waits for the answer. When it goes, the answer is still read, by nobody, so that what a request's
// functions refer to only has to live as long as its ticket.
class Ticket {
  public:
    Ticket() = default;
    Ticket(std::nullptr_t) {}
    explicit Ticket(std::shared_ptr<Call> call) : m_call(std::move(call)) {}
    Ticket(Ticket&&) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept {
        if (this != &other) {
            abandon();
            m_call = std::move(other.m_call);
        }
        return *this;
    }
    ~Ticket() { abandon(); }

    explicit operator bool() const { return m_call != nullptr; }
    Call* operator->() const { return m_call.get(); }
    // The answer matters though nobody waits for it (ID, ENABLE): its functions must own what they use.
    void let_go() { m_call.reset(); }

  private:
    void abandon() {
        if (m_call)
            m_call->abandoned = true;
        m_call.reset();
    }
    std::shared_ptr<Call> m_call;
};

// News nobody asked for, in the order it came. Called from inside reading: copy and put off what takes time.
class Listener {
  public:
    virtual ~Listener() = default;
    virtual void on_news(Session& session, const Response& response) = 0;
    virtual void on_gone(Session& session, const Error& error) = 0;
    // Somebody waits for another folder than the one that is in use.
    virtual void on_wanted(Session&) {}
};

struct SessionStats {
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    uint64_t round_trips = 0;
};

class Session : public std::enable_shared_from_this<Session>, Engine::Events {
  public:
    // Connected, greeted, logged in; capabilities known.
    static loop::Task<std::shared_ptr<Session>> open(net::Net& net, std::shared_ptr<const Account> account,
                                                     std::shared_ptr<Learnt> learnt, loop::CancelToken token);
    Session(net::Net& net, std::shared_ptr<const Account> account, std::shared_ptr<Learnt> learnt);
    ~Session() override;

    // ---- requests
    Ticket post(Request request, Function<bool(const Response&)> on_data = {});
    // The answer; its refusal is a value. Lost connections and cancels are thrown. A cancelled request's answer is
    // still read, by nobody.
    loop::Task<Answer> answer(const Ticket& ticket, loop::CancelToken token);
    // The same, a refusal thrown: `doing` completes "the server refused to ...".
    loop::Task<Answer> expect(const Ticket& ticket, std::string doing, loop::CancelToken token);
    // What is posted while one of these lives goes out together.
    class Together {
      public:
        explicit Together(Session& session) : m_session(session) { ++m_session.m_together; }
        ~Together() {
            if (--m_session.m_together == 0)
                m_session.flush();
        }
        Together(const Together&) = delete;
        Together& operator=(const Together&) = delete;

      private:
        Session& m_session;
    };

    // ---- backpressure: nothing is read while anybody holds
    void pause();
    void resume();
    bool paused() const { return m_pauses > 0; }

    // ---- holding a folder
    class Use {
      public:
        Use() = default;
        explicit Use(std::shared_ptr<Session> session) : m_session(std::move(session)) {}
        Use(Use&& other) noexcept
            : m_session(std::move(other.m_session)), m_holds(std::exchange(other.m_holds, false)) {}
        Use& operator=(Use&& other) noexcept {
            if (this != &other) {
                release();
                m_session = std::move(other.m_session);
                m_holds = std::exchange(other.m_holds, false);
            }
            return *this;
        }
        ~Use() { release(); }
        void release();
        explicit operator bool() const { return m_session != nullptr; }

      private:
        friend class Session;
        std::shared_ptr<Session> m_session;
        bool m_holds = false;
    };
    // Until the folder may be selected (or is). Selecting is the caller's: folder.hpp.
    loop::Task<Use> use(std::string folder, Priority priority, loop::CancelToken token);
    // The same for one who will use the folder many times before letting it go. Meanwhile uses of this folder pass those
    // who wait for another one: they wait for the holder, who may be the one who wants to use it.
    loop::Task<Use> hold(std::string folder, Priority priority, loop::CancelToken token);
    // Somebody more urgent waits for another folder.
    bool is_wanted(Priority than) const;
    bool is_wanted() const { return !m_waiters.empty(); }
    size_t users() const { return m_users; }

    // ---- IDLE: while on, the session idles whenever it has nothing else to do
    void set_idling(bool on);
    bool idling() const { return m_idling; }

    // ---- what is known
    Engine& engine() { return m_engine; }
    const Capabilities& capabilities() const { return m_engine.capabilities(); }
    bool has(Cap cap) const { return m_engine.capabilities().has(cap); }
    const Quirks& quirks() const { return m_quirks; }
    Learnt& learnt() { return *m_learnt; }
    const Account& account() const { return *m_account; }
    const Dialect& dialect() const { return m_dialect; }
    bool qresync_on() const { return m_qresync_on; }
    loop::Loop& loop() { return m_loop; }
    std::optional<Selected>& selected() { return m_selected; }
    // The folder that is selected or being selected; empty for none.
    const std::string& folder() const { return m_folder; }
    void set_folder(std::string folder) { m_folder = std::move(folder); }

    bool alive() const { return !m_error; }
    const std::optional<Error>& error() const { return m_error; }
    bool busy() const { return m_users > 0 || m_engine.busy(); }
    std::int64_t last_used_ms() const { return m_last_used_ms; }
    SessionStats stats() const;
    net::Wire& wire() { return *m_wire; }

    void listen(Listener* listener) { m_listeners.push_back(listener); }
    void unlisten(Listener* listener) { std::erase(m_listeners, listener); }

    // Ends the connection; whoever waits gets the error. LOGOUT is said when there is nothing in flight.
    void close(Error why);

    // COMPRESS=DEFLATE, when it is worth it: asked before bulk work. Never fails for the lack of it.
    loop::Task<void> compress_for_bulk(loop::CancelToken token);
    // The replies to what was sent lazily (ENABLE) are in.
    loop::Task<void> settled(loop::CancelToken token);

  private:
    // Large literals belong to the oldest request that wants any.
    class Large : public LiteralSink {
      public:
        explicit Large(Session& session) : m_session(session) {}
        bool wants_all_bodies() const override { return false; }
        void start(const LiteralStart& start) override;
        void bytes(std::span<const char> bytes) override;
        void end(bool complete) override;

      private:
        LiteralSink* sink() const { return m_call && !m_call->abandoned ? m_sink : nullptr; }
        Session& m_session;
        std::shared_ptr<Call> m_call;
        LiteralSink* m_sink = nullptr;
    };
    struct Waiter {
        std::string folder;
        Priority priority = Priority::user;
        loop::Once<bool> once;
    };

    loop::Task<void> connect(loop::CancelToken token);
    loop::Task<void> start_tls(loop::CancelToken token);
    loop::Task<void> log_in(loop::CancelToken token);
    loop::Task<bool> try_mechanism(auth::Secret secret, loop::CancelToken token);
    loop::Task<void> ask_capabilities(loop::CancelToken token);
    void greet_after_login();
    void take_quirks();

    void on_bytes(std::span<const char> bytes);
    void drain();
    void flush();
    void keep_time();
    void go_on_idling();
    void admit();
    void log(char who, std::string_view bytes);
    void log_server(std::span<const char> bytes);

    void on_greeting(const Status& status) override;
    bool on_data(RequestId id, const Response& response) override;
    void on_unsolicited(const Response& response) override;
    void on_continuation(RequestId id, std::string_view text) override;
    void on_done(RequestId id, const Completion& completion) override;
    void on_end(const Error& error) override;

    loop::Loop& m_loop;
    net::Net& m_net;
    std::shared_ptr<const Account> m_account;
    std::shared_ptr<Learnt> m_learnt;
    Engine m_engine;
    Large m_large{*this};
    std::unique_ptr<net::Wire> m_wire;
    Quirks m_quirks;
    Dialect m_dialect;
    std::string m_greeting;
    loop::Once<bool> m_greeted;
    std::map<RequestId, std::shared_ptr<Call>> m_calls;
    std::vector<Listener*> m_listeners;
    std::optional<Error> m_error;

    std::string m_folder;
    std::string m_use_folder; // what its users hold
    std::optional<Selected> m_selected;
    size_t m_users = 0;
    size_t m_holders = 0; // of these
    std::list<Waiter*> m_waiters;

    loop::Gate m_settled{true};                   // shut while ENABLE is on its way
    Function<void(std::string_view)> m_challenge; // while logging in
    bool m_qresync_on = false;
    bool m_knows_window = false;

    bool m_idle_wanted = false;
    bool m_idling = false; // an IDLE is in flight
    bool m_idle_granted = false;
    bool m_idle_ending = false;
    bool m_idle_done_due = false; // DONE as soon as the server grants it
    RequestId m_idle = 0;
    std::int64_t m_idle_since_ms = 0;

    int m_together = 0;
    int m_pauses = 0;
    bool m_stopped = false; // reading stopped
    bool m_resuming = false;
    bool m_draining = false;
    bool m_secret_out = false;
    bool m_secret_in = false; // the server's challenges are not for the log either

    loop::Timer m_timer;
    uint64_t m_progress_seen = 0;
    std::size_t m_unheard = 0;
    uint64_t m_progress_read = 0;
    uint64_t m_unanswered_bytes = 0; // since the last answer
    std::int64_t m_progress_ms = 0;
    std::int64_t m_last_used_ms = 0;
    std::string m_log_line;
    uint64_t m_log_literal = 0;
};

} // namespace himalaya::imap
