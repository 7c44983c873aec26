#include "imap/engine.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace himalaya::imap {

namespace {

// A server that keeps sending what nobody can read is not talking IMAP to us.
constexpr uint64_t most_malformed = 1000;
// After so many good answers the window opens by one again.
constexpr size_t good_run = 64;

Verdict verdict_of(Condition condition) {
    switch (condition) {
    case Condition::ok:
    case Condition::preauth:
        return Verdict::ok;
    case Condition::no:
        return Verdict::no;
    case Condition::bad:
        return Verdict::bad;
    case Condition::bye:
        break;
    }
    return Verdict::bye;
}

// Untagged OK codes that describe the folder being selected.
bool describes_folder(CodeKind kind) {
    switch (kind) {
    case CodeKind::permanent_flags:
    case CodeKind::read_only:
    case CodeKind::read_write:
    case CodeKind::uid_next:
    case CodeKind::uid_validity:
    case CodeKind::unseen:
    case CodeKind::uid_not_sticky:
    case CodeKind::highest_modseq:
    case CodeKind::no_modseq:
    case CodeKind::mailbox_id:
    case CodeKind::closed:
        return true;
    default:
        return false;
    }
}

void drop(std::string& text) {
    volatile char* byte = text.data();
    for (size_t i = 0; i < text.size(); ++i)
        byte[i] = 0;
    std::string().swap(text);
}

} // namespace

Engine::Engine(Events& events, std::string prefix, const Limits& limits)
    : m_events(events), m_parser(limits), m_prefix(std::move(prefix)) {}

Result<RequestId> Engine::submit(Request request) {
    if (m_ended)
        return make_error(Fault::offline, "The connection has ended.", "It is opened again by itself.");
    Entry entry;
    entry.id = ++m_last;
    entry.tag = fmt::format("{}{}", m_prefix, entry.id);
    auto wire = request.command.finish(entry.tag);
    if (!wire)
        return std::move(wire.error());
    entry.wire = *std::move(wire);
    entry.name = std::move(request.name);
    entry.takes = request.takes;
    entry.holds = request.holds;
    entry.lazy = request.lazy;
    entry.waits = request.waits;
    if (request.brief)
        for (const auto& piece : entry.wire.pieces)
            entry.brief += piece.bytes.size();
    entry.on_ok = request.on_ok;
    entry.on_fail = request.on_fail;
    return enqueue(std::move(entry));
}

Result<RequestId> Engine::submit_secret(std::string_view line, std::string name) {
    if (m_ended)
        return make_error(Fault::offline, "The connection has ended.", "It is opened again by itself.");
    Entry entry;
    entry.id = ++m_last;
    entry.tag = fmt::format("{}{}", m_prefix, entry.id);
    auto& piece = entry.wire.pieces.emplace_back();
    // Room for all of it first: a string that grows leaves its old self behind.
    piece.bytes.reserve(entry.tag.size() + line.size() + 3);
    piece.bytes.append(entry.tag).append(" ").append(line).append("\r\n");
    entry.name = std::move(name);
    entry.takes = takes::capability;
    entry.holds = true;
    entry.secret = true;
    entry.on_ok = State::authenticated;
    return enqueue(std::move(entry));
}

RequestId Engine::enqueue(Entry entry) {
    RequestId id = entry.id;
    m_queue.push_back(std::move(entry));
    pump();
    return id;
}

void Engine::answer(RequestId id, std::string_view line) {
    auto entry = std::find_if(m_flight.begin(), m_flight.end(), [id](auto& e) { return e.id == id; });
    if (entry == m_flight.end())
        return;
    m_output.reserve(m_output.size() + line.size() + 2);
    put(*entry, line);
    m_output += "\r\n";
    if (m_logging)
        m_log += "\r\n";
}

void Engine::end_idle(RequestId id) {
    answer(id, "DONE");
    for (auto& entry : m_flight)
        if (entry.id == id)
            entry.waits = false; // from here on an answer is due
    if (m_holder == id)
        m_holder = 0;
    pump();
}

bool Engine::withdraw(RequestId id) {
    auto entry = std::find_if(m_queue.begin(), m_queue.end(), [id](auto& e) { return e.id == id; });
    if (entry == m_queue.end())
        return false;
    m_queue.erase(entry);
    return true;
}

void Engine::flush() {
    for (auto& entry : m_queue)
        entry.lazy = false;
    pump();
}

void Engine::put(const Entry& entry, std::string_view bytes) {
    m_output += bytes;
    if (!m_logging)
        return;
    if (!entry.secret) {
        m_log += bytes;
        return;
    }
    // Of a secret command the tag and its name are shown.
    if (bytes.starts_with(entry.tag))
        m_log += fmt::format("{} {} ", entry.tag, entry.name);
    m_log += "****";
    if (bytes.ends_with("\r\n"))
        m_log += "\r\n";
}

void Engine::put(const Entry& entry, Wire::Piece& piece) {
    put(entry, piece.bytes);
    if (entry.secret)
        drop(piece.bytes);
    if (!piece.body)
        return;
    if (m_logging)
        m_log += fmt::format("[{} bytes]", piece.body->size());
    m_bodies.push_back({std::exchange(m_output, {}), std::move(piece.body)});
}

void Engine::pump() {
    if (m_pumping || m_state == State::greeting || m_ended)
        return;
    bool eager = std::any_of(m_queue.begin(), m_queue.end(), [](auto& e) { return !e.lazy; });
    while (eager && !m_queue.empty() && m_holder == 0 && has_room(m_queue.front())) {
        m_flight.push_back(std::move(m_queue.front()));
        m_queue.pop_front();
        Entry& entry = m_flight.back();
        if (entry.brief > 0) {
            ++m_brief;
            m_brief_bytes += entry.brief;
        }
        // Pieces go until one must wait for the server's `+`.
        while (entry.next_piece < entry.wire.pieces.size()) {
            auto& piece = entry.wire.pieces[entry.next_piece++];
            put(entry, piece);
            if (piece.wait) {
                m_holder = entry.id;
                break;
            }
        }
        if (entry.holds)
            m_holder = entry.id;
    }
}

bool Engine::has_room(const Entry& next) const {
    if (m_burst == 0)
        return m_flight.size() < m_window;
    // The brief ones in flight take no place from the others.
    if (next.brief == 0)
        return m_flight.size() - m_brief < m_window;
    return m_flight.size() < m_window || m_brief_bytes + next.brief <= m_burst;
}

bool Engine::expects() const {
    return m_state == State::greeting ||
           std::any_of(m_flight.begin(), m_flight.end(), [](auto& e) { return !e.waits || !e.granted; });
}

bool Engine::busy() const {
    return !m_flight.empty() || std::any_of(m_queue.begin(), m_queue.end(), [](auto& e) { return !e.lazy; });
}

bool Engine::step() {
    if (m_ended)
        return false;
    const Response* response = m_parser.next();
    if (!response)
        return false;
    handle(*response);
    return !m_ended;
}

void Engine::handle(const Response& response) {
    if (m_state == State::greeting)
        return handle_greeting(response);
    struct Visit {
        Engine& self;
        const Response& response;
        void unsolicited() const { self.m_events.on_unsolicited(response); }
        void offered(uint32_t kind, bool oldest_only = false) const {
            if (!self.offer(kind, response, oldest_only))
                unsolicited();
        }
        void operator()(const Status& status) const { self.handle_status(status); }
        void operator()(const Continuation& c) const { self.handle_continuation(c); }
        void operator()(const Malformed& m) const { self.handle_malformed(m); }
        void operator()(const Capability& c) const {
            self.m_capabilities.assign({c.names.begin(), c.names.end()});
            offered(takes::capability);
        }
        void operator()(const Enabled&) const { offered(takes::enabled); }
        void operator()(const Identity&) const { offered(takes::identity); }
        void operator()(const Namespaces&) const { offered(takes::namespaces); }
        void operator()(const Folder&) const { offered(takes::list); }
        void operator()(const FolderStatus&) const { offered(takes::status); }
        void operator()(const Flags&) const { offered(takes::select, true); }
        void operator()(const Exists&) const { offered(takes::select, true); }
        void operator()(const Recent&) const { offered(takes::select, true); }
        void operator()(const Expunge&) const { unsolicited(); }
        void operator()(const Vanished& v) const {
            if (v.earlier)
                offered(takes::vanished);
            else
                unsolicited();
        }
        void operator()(const SearchResult&) const { offered(takes::search); }
        void operator()(const Esearch&) const { offered(takes::search); }
        void operator()(const ThreadResult&) const { offered(takes::search); }
        void operator()(const Fetch&) const { offered(takes::fetch); }
        void operator()(const Other&) const { unsolicited(); }
    };
    std::visit(Visit{*this, response}, response);
}

bool Engine::offer(uint32_t kind, const Response& response, bool oldest_only) {
    // An event may submit (never end) requests, so ids are looked at, not kept references.
    for (size_t i = 0; i < m_flight.size(); ++i) {
        if ((m_flight[i].takes & kind) && m_events.on_data(m_flight[i].id, response)) {
            ++m_progress;
            return true;
        }
        if (oldest_only || m_ended)
            return false;
    }
    return false;
}

void Engine::handle_greeting(const Response& response) {
    auto* status = std::get_if<Status>(&response);
    bool greets = status && status->tag.empty() &&
                  (status->condition == Condition::ok || status->condition == Condition::preauth ||
                   status->condition == Condition::bye);
    if (!greets)
        return end(make_error(Fault::protocol, "What answers there does not speak IMAP.",
                              "Check host, port and tls of the account."));
    ++m_progress;
    if (status->condition == Condition::bye) {
        m_state = State::logout;
        Error error = error_of(Refusal{Verdict::bye, status->code.name, status->text}, "talk to us");
        return end(std::move(error));
    }
    m_state = status->condition == Condition::preauth ? State::authenticated : State::not_authenticated;
    learn(status->code);
    m_events.on_greeting(*status);
    pump();
}

void Engine::learn(const StatusCode& code) {
    if (code.kind == CodeKind::capability)
        m_capabilities.assign({code.words.begin(), code.words.end()});
}

void Engine::handle_status(const Status& status) {
    if (!status.tag.empty())
        return handle_tagged(status);
    if (status.condition == Condition::bye) {
        m_bye = shown(status.text);
        if (m_state != State::logout) {
            m_state = State::logout;
            // The connection is not used again; whoever waits is told now, not when the socket closes.
            auto error = error_of(Refusal{Verdict::bye, status.code.name, status.text}, "go on");
            return end(std::move(error));
        }
        return;
    }
    learn(status.code);
    Response response = status;
    bool taken = false;
    if (status.code.kind == CodeKind::copy_uid)
        taken = offer(takes::copy_uid, response);
    else if (describes_folder(status.code.kind))
        taken = offer(takes::select, response, true);
    if (!taken)
        m_events.on_unsolicited(response);
}

void Engine::handle_tagged(const Status& status) {
    auto found = std::find_if(m_flight.begin(), m_flight.end(), [&](auto& e) { return e.tag == status.tag; });
    if (found == m_flight.end())
        return end(make_error(Fault::protocol, "The server answered a command that was never sent.",
                              "The connection was closed to be safe; it is opened again by itself."));
    Entry entry = std::move(*found);
    m_flight.erase(found);
    if (entry.brief > 0) {
        --m_brief;
        m_brief_bytes -= entry.brief;
    }
    ++m_progress;
    if (m_holder == entry.id)
        m_holder = 0;
    learn(status.code);
    adapt(entry, status);
    Completion completion{verdict_of(status.condition), &status};
    if (completion.verdict == Verdict::ok && entry.on_ok)
        m_state = *entry.on_ok;
    if (completion.verdict != Verdict::ok && entry.on_fail)
        m_state = *entry.on_fail;
    // What the event submits is sent behind what already waits, in one go.
    bool outer = std::exchange(m_pumping, true);
    m_events.on_done(entry.id, completion);
    m_pumping = outer;
    if (completion.verdict == Verdict::bye && !m_ended) {
        m_state = State::logout;
        return end(error_of(completion.refusal(), "go on"));
    }
    pump();
}

// More than the server bears shows as BAD or as throttling while several commands are in flight: half of what was
// there then is the new window. It opens again slowly, and never beyond where it began; bursts do not come again.
void Engine::adapt(const Entry& entry, const Status& status) {
    Refusal refusal{verdict_of(status.condition), status.code.name, status.text};
    bool complains = throttles(refusal) || (refusal.verdict == Verdict::bad && m_flight.size() >= 2);
    if (complains) {
        m_window = std::max<size_t>(1, std::min(m_window, m_flight.size() + 1) / 2);
        m_good = 0;
        m_burst = 0;
        m_complained = true;
    } else if (!entry.waits && ++m_good >= good_run) {
        m_good = 0;
        m_window = std::min(m_most, m_window + 1);
    }
}

void Engine::handle_continuation(const Continuation& continuation) {
    auto entry = std::find_if(m_flight.begin(), m_flight.end(), [this](auto& e) { return e.id == m_holder; });
    if (entry == m_flight.end())
        return; // "+ idling" twice, or chatter: nothing of ours waits for it
    ++m_progress;
    if (entry->next_piece >= entry->wire.pieces.size()) {
        entry->granted = true;
        return m_events.on_continuation(entry->id, continuation.text);
    }
    bool waits = false;
    while (entry->next_piece < entry->wire.pieces.size() && !waits) {
        auto& piece = entry->wire.pieces[entry->next_piece++];
        put(*entry, piece);
        waits = piece.wait;
    }
    if (!waits && !entry->holds)
        m_holder = 0;
    pump();
}

void Engine::handle_malformed(const Malformed& malformed) {
    ++m_malformed;
    // Whoever asked for that message must know that it did not come.
    if (malformed.fetch && offer(takes::fetch, Response(malformed)))
        return;
    if (malformed.lost || malformed.too_large || ++m_garbage > most_malformed)
        return end(
            make_error(Fault::protocol,
                       fmt::format("The server sent what cannot be read: {}.", shown(malformed.message)),
                       "The connection was closed; it is opened again by itself."));
    m_events.on_unsolicited(malformed);
}

void Engine::finish() {
    if (m_ended)
        return;
    while (step()) {
    }
    if (m_ended)
        return;
    // Half of a line is no word of the server's: it was cut off, and nothing can be held against what it began to say.
    m_parser.discard();
    if (m_state == State::greeting)
        return end(make_error(Fault::offline, "The server closed the connection before it had greeted.",
                              "It is opened again by itself; if that stays so, check host, port and tls."));
    end(m_bye.empty()
            ? make_error(Fault::offline, "The server closed the connection.", "It is opened again by itself.")
            : make_error(Fault::offline, fmt::format("The server ended the connection: \"{}\".", m_bye),
                         "It is opened again by itself."));
}

void Engine::end(Error error) {
    if (std::exchange(m_ended, true))
        return;
    m_queue.clear();
    m_flight.clear();
    m_bodies.clear();
    m_output.clear();
    m_events.on_end(error);
}

void Engine::forget_plaintext() {
    m_parser.discard();
    m_capabilities.clear();
}

} // namespace himalaya::imap
