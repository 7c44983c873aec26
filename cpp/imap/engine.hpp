// The protocol as a value: bytes of the server and requests of ours in, bytes to send and events out. No clock, no
// socket, so tests and fuzzers drive it byte by byte; session.hpp gives it the world.
//
// Requests wait in a queue, go out as the window and literals allow, and are in flight until their tag comes back.
// Untagged data is offered to the requests in flight that take its kind, oldest first, and is unsolicited when none
// wants it. (A `FETCH (FLAGS ...)` in the middle of a FETCH of envelopes is news, not an answer.)
#pragma once

#include "imap/capabilities.hpp"
#include "imap/command.hpp"
#include "imap/parser.hpp"
#include "imap/refusal.hpp"
#include "imap/types.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace himalaya::imap {

// Kinds of untagged data, as bits: what a request takes for its answer.
namespace takes {
inline constexpr uint32_t fetch = 1, search = 2, list = 4, status = 8, select = 16, vanished = 32,
                          identity = 64, namespaces = 128, enabled = 256, capability = 512, copy_uid = 1024;
}

enum class State : uint8_t { greeting, not_authenticated, authenticated, selected, logout };

using RequestId = uint32_t; // 0 is nobody

struct Request {
    Command command;
    std::string name;   // "UID FETCH": for errors and the log
    uint32_t takes = 0; // bits of takes::
    bool holds =
        false;         // nothing goes out behind it until it is done (AUTHENTICATE, IDLE, STARTTLS, COMPRESS)
    bool lazy = false; // goes out with the next one that is not, so that it costs no round trip
    bool waits = false; // the server may take as long as it likes (IDLE)
    bool brief = false; // its answer is a line or two (STATUS): the burst counts, not the window
    std::optional<State> on_ok, on_fail; // the state it leads to
};

// The end of a request. Views are valid during the call.
struct Completion {
    Verdict verdict = Verdict::ok;
    const Status* status = nullptr;
    Refusal refusal() const {
        return status ? Refusal{verdict, status->code.name, status->text} : Refusal{verdict, {}, {}};
    }
};

class Engine {
  public:
    class Events {
      public:
        virtual ~Events() = default;
        virtual void on_greeting(const Status& status) = 0;
        // An answer to that request; false when it is none after all.
        virtual bool on_data(RequestId id, const Response& response) = 0;
        virtual void on_unsolicited(const Response& response) = 0;
        // `+ text` for a request that holds; answer() says what goes back.
        virtual void on_continuation(RequestId id, std::string_view text) = 0;
        virtual void on_done(RequestId id, const Completion& completion) = 0;
        // The connection is of no use any more. Requests in flight were not answered; called once.
        virtual void on_end(const Error& error) = 0;
    };

    // `prefix` makes tags of this connection unlike those of others.
    Engine(Events& events, std::string prefix, const Limits& limits = {});

    // The end of a wire command that is not valid is an error here, and nothing was queued.
    Result<RequestId> submit(Request request);
    // A command whose text is a secret as a whole (a login): it is not in the log, and wiped once it is output.
    Result<RequestId> submit_secret(std::string_view line, std::string name);
    // A line in answer to a continuation; CRLF is added.
    void answer(RequestId id, std::string_view line);
    // DONE to an IDLE that the server has granted: what waits behind it goes out in the same breath.
    void end_idle(RequestId id);
    // A request that was not sent yet is forgotten; false when it is on its way.
    bool withdraw(RequestId id);
    // Lazy requests need wait no longer.
    void flush();

    // Bytes of the server, valid until step() was false or keep().
    void feed(std::span<const char> bytes) { m_parser.feed(bytes); }
    // Handles one response; false when there is no whole one.
    bool step();
    void keep() { m_parser.keep(); }
    // The server closed the connection.
    void finish();
    // We do: requests in flight are forgotten, on_end tells why.
    void end(Error error);
    // STARTTLS: what came before TLS does not count, capabilities neither.
    void forget_plaintext();
    void set_sink(LiteralSink* sink) { m_parser.set_sink(sink); }

    // What is to be sent now, in order.
    bool has_output() const { return !m_output.empty() || !m_bodies.empty(); }
    // First the messages of APPENDs, each with what goes before it; then the rest.
    struct Body {
        std::string before;
        std::shared_ptr<const std::string> text;
    };
    std::vector<Body> take_bodies() { return std::exchange(m_bodies, {}); }
    std::string take_output() { return std::exchange(m_output, {}); }
    // The same for the log: secrets are blotted out there. Empty unless asked for.
    void keep_log(bool on) { m_logging = on; }
    std::string take_log() { return std::exchange(m_log, {}); }

    State state() const { return m_state; }
    void set_state(State state) { m_state = state; }
    bool ended() const { return m_ended; }
    Capabilities& capabilities() { return m_capabilities; }
    const Capabilities& capabilities() const { return m_capabilities; }
    // Counts what brought an answer nearer; a server that only chats does not raise it.
    uint64_t progress() const { return m_progress; }
    // Bytes of a response that is still coming.
    uint64_t unfinished() const { return m_parser.unfinished(); }
    // It is this request that the server must answer first.
    bool waits_for(RequestId id) const { return !m_flight.empty() && m_flight.front().id == id && expects(); }
    // In flight and not one that may wait for ever.
    bool expects() const;
    // Something is in flight or about to be; lazy requests do not count.
    bool busy() const;
    size_t in_flight() const { return m_flight.size(); }
    size_t queued() const { return m_queue.size(); }
    bool idle() const { return m_flight.empty() && m_queue.empty(); }
    size_t window() const { return m_window; }
    void set_window(size_t window) { m_window = m_most = window < 1 ? 1 : window; }
    // Brief requests go out beyond the window up to so many bytes of commands in flight: a question about each of 200
    // folders is one breath of 20 KB, which every socket takes, and not a round trip for every 15 of them. Nothing
    // after the server complained once.
    size_t burst() const { return m_burst; }
    void set_burst(size_t bytes) { m_burst = m_complained ? 0 : bytes; }
    size_t memory() const { return m_parser.memory(); }
    uint64_t malformed() const { return m_malformed; }

  private:
    struct Entry {
        RequestId id = 0;
        std::string tag;
        std::string name;
        Wire wire;
        size_t next_piece = 0;
        uint32_t takes = 0;
        bool holds = false;
        bool lazy = false;
        bool secret = false;
        bool waits = false;
        size_t brief = 0;     // bytes of a brief one, 0 for another
        bool granted = false; // its `+` came: only from then on may it take as long as it likes
        std::optional<State> on_ok, on_fail;
    };

    RequestId enqueue(Entry entry);
    void pump();
    void put(const Entry& entry, std::string_view bytes);
    void put(const Entry& entry, Wire::Piece& piece);
    void handle(const Response& response);
    void handle_status(const Status& status);
    void handle_tagged(const Status& status);
    void handle_greeting(const Response& response);
    void handle_continuation(const Continuation& continuation);
    void handle_malformed(const Malformed& malformed);
    bool offer(uint32_t kind, const Response& response, bool oldest_only = false);
    void learn(const StatusCode& code);
    void adapt(const Entry& entry, const Status& status);
    bool has_room(const Entry& next) const;

    Events& m_events;
    Parser m_parser;
    std::string m_prefix;
    Capabilities m_capabilities;
    std::deque<Entry> m_queue;
    std::deque<Entry> m_flight;
    std::vector<Body> m_bodies;
    std::string m_output;
    std::string m_log;
    std::string m_bye; // the server's last words
    State m_state = State::greeting;
    RequestId m_last = 0;
    RequestId m_holder = 0; // nothing goes out until this one is done or may go on
    size_t m_window = 15;
    size_t m_most = 15;
    size_t m_burst = 0;
    size_t m_brief = 0;       // brief requests in flight
    size_t m_brief_bytes = 0; // and what they are long
    size_t m_good = 0;        // answers in a row without complaint
    uint64_t m_progress = 0;
    uint64_t m_malformed = 0;
    uint64_t m_garbage = 0;    // what was malformed and nobody's
    bool m_complained = false; // of too many commands at once
    bool m_ended = false;
    bool m_pumping = false;
    bool m_logging = false;
};

} // namespace himalaya::imap
