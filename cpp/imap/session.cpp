#include "imap/session.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <utility>

namespace himalaya::imap {

namespace {

// Tags that differ from connection to connection cannot be answered before they are sent.
std::string tag_prefix() {
    std::random_device random;
    std::string prefix;
    for (int i = 0; i < 3; ++i)
        prefix += static_cast<char>('A' + random() % 26);
    return prefix;
}

constexpr int64_t young_idle_ms = 60'000;
// A line that only chats is hardly longer.
constexpr uint64_t chatter_bytes = 1024;
// So much may come without an answer in it: the largest response, and room for what comes in between.
constexpr uint64_t most_unanswered_bytes = Limits().literal + 2 * Limits().response;

Answer kept(const Completion& completion) {
    Answer answer;
    answer.verdict = completion.verdict;
    if (auto* status = completion.status) {
        answer.kind = status->code.kind;
        answer.code = status->code.name;
        answer.text = status->text;
        answer.number = status->code.number;
        answer.uids.assign(status->code.uids.begin(), status->code.uids.end());
        answer.targets.assign(status->code.targets.begin(), status->code.targets.end());
    }
    return answer;
}

} // namespace

Session::Session(net::Net& net, std::shared_ptr<const Account> account, std::shared_ptr<Learnt> learnt)
    : m_loop(net.loop()), m_net(net), m_account(std::move(account)), m_learnt(std::move(learnt)),
      m_engine(*this, tag_prefix()), m_timer(net.loop(), "imap") {
    m_engine.keep_log(static_cast<bool>(m_account->log));
    m_engine.set_sink(&m_large);
    m_timer.unref();
}

Session::~Session() {
    if (m_wire)
        m_wire->close();
}

// ---- requests

Ticket Session::post(Request request, Function<bool(const Response&)> on_data) {
    if (m_error)
        throw Error(*m_error);
    auto call = std::make_shared<Call>();
    call->on_data = std::move(on_data);
    auto id = m_engine.submit(std::move(request));
    call->id = std::move(id).or_throw();
    m_calls.emplace(call->id, call);
    if (m_idling) {
        if (m_idle_granted) {
            m_idling = m_idle_granted = false;
            m_engine.end_idle(m_idle);
        } else {
            m_idle_done_due = true;
        }
    }
    m_last_used_ms = m_loop.now_ms();
    if (m_together == 0)
        flush();
    return Ticket(std::move(call));
}

loop::Task<Answer> Session::answer(const Ticket& ticket, loop::CancelToken token) {
    auto self = shared_from_this();
    try {
        Answer answer = co_await ticket->once.wait(token);
        m_last_used_ms = m_loop.now_ms();
        co_return answer;
    } catch (...) {
        ticket->abandoned = true;
        if (m_engine.withdraw(ticket->id))
            m_calls.erase(ticket->id);
        throw;
    }
}

loop::Task<Answer> Session::expect(const Ticket& ticket, std::string doing, loop::CancelToken token) {
    Answer got = co_await answer(ticket, std::move(token));
    if (!got.ok())
        throw error_of(got.refusal(), doing);
    co_return got;
}

void Session::flush() {
    if (!m_wire || m_error)
        return;
    go_on_idling();
    if (m_engine.has_output()) {
        for (auto& [before, text] : m_engine.take_bodies()) {
            m_wire->write(std::move(before));
            m_wire->write(std::move(text));
        }
        std::string out = m_engine.take_output();
        if (m_account->log)
            log('C', m_engine.take_log());
        if (std::exchange(m_secret_out, false)) {
            m_wire->write(std::string_view(out), net::Wire::Wipe::yes);
            volatile char* byte = out.data();
            for (size_t i = 0; i < out.size(); ++i)
                byte[i] = 0;
        } else {
            m_wire->write(std::move(out));
        }
    }
    keep_time();
}

// ---- reading

void Session::on_bytes(std::span<const char> bytes) {
    auto self = shared_from_this();
    if (std::exchange(m_progress_read, m_engine.progress()) != m_engine.progress())
        m_unanswered_bytes = 0;
    m_unanswered_bytes += bytes.size();
    if (m_account->log)
        log_server(bytes);
    m_engine.feed(bytes);
    drain();
}

void Session::drain() {
    if (m_draining)
        return;
    auto self = shared_from_this();
    m_draining = true;
    for (unsigned count = 1;; ++count) {
        if (m_pauses > 0) {
            m_engine.keep();
            m_wire->read_stop();
            m_stopped = true;
            break;
        }
        if (!m_engine.step())
            break;
        // A record of 16 KiB may hold 400 small responses: the budget of the turn is asked now and then.
        if (count % 8 == 0 && m_loop.budget().exhausted(loop::Budget::STREAMS_NS)) {
            m_engine.keep();
            m_wire->read_stop();
            m_stopped = true;
            if (!std::exchange(m_resuming, true))
                m_loop.defer([weak = weak_from_this()] {
                    if (auto session = weak.lock()) {
                        session->m_resuming = false;
                        session->drain();
                    }
                });
            break;
        }
    }
    m_draining = false;
    // In the middle of a large response bytes are progress, for as long as it may become an answer; complete ones
    // count only when they are.
    if (m_engine.unfinished() > chatter_bytes && m_unanswered_bytes < most_unanswered_bytes)
        m_progress_ms = m_loop.now_ms();
    if (m_error)
        return;
    if (m_stopped && m_pauses == 0 && !m_resuming) {
        m_stopped = false;
        m_wire->read_resume();
    }
    flush();
}

void Session::pause() {
    ++m_pauses;
}

void Session::resume() {
    if (--m_pauses > 0 || m_error || m_resuming || !m_stopped)
        return;
    m_resuming = true;
    m_loop.defer([weak = weak_from_this()] {
        if (auto session = weak.lock()) {
            session->m_resuming = false;
            session->drain();
        }
    });
}

void Session::Large::start(const LiteralStart& start) {
    m_call.reset();
    m_sink = nullptr;
    for (auto& [id, call] : m_session.m_calls) {
        if (!call->on_large || call->abandoned)
            continue;
        if (auto* sink = call->on_large(start)) {
            m_call = call;
            m_sink = sink;
            sink->start(start);
            return;
        }
    }
}

void Session::Large::bytes(std::span<const char> bytes) {
    if (auto* to = sink())
        to->bytes(bytes);
}

void Session::Large::end(bool complete) {
    if (auto* to = sink())
        to->end(complete);
    m_call.reset();
}

// ---- time

void Session::keep_time() {
    bool due = m_engine.expects();
    if (!due)
        return m_timer.stop();
    if (m_timer.active())
        return;
    m_progress_ms = m_loop.now_ms();
    m_progress_seen = m_engine.progress();
    uint64_t tick = std::clamp<uint64_t>(m_account->timeout_ms / 8, 10, 1000);
    m_timer.start(tick, tick, [this] {
        auto self = shared_from_this();
        auto now = m_loop.now_ms();
        if (std::exchange(m_progress_seen, m_engine.progress()) != m_engine.progress() || m_pauses > 0)
            m_progress_ms = now;
        // A message on its way over a slow line is progress too, as long as the other side takes of it.
        std::size_t unheard = m_wire ? m_wire->unheard() : 0;
        if (std::exchange(m_unheard, unheard) > unheard)
            m_progress_ms = now;
        if (now - m_progress_ms < static_cast<int64_t>(m_account->timeout_ms))
            return;
        // An old IDLE dies with its line (a NAT forgot it); of a young one it is the server that makes nothing.
        if (m_idle != 0 && m_engine.waits_for(m_idle) && now - m_idle_since_ms < young_idle_ms)
            ++m_learnt->idle_hung;
        close(make_error(Fault::timeout,
                         fmt::format("{} did not answer for {} seconds.", m_account->host,
                                     (m_account->timeout_ms + 999) / 1000),
                         "The connection was given up; it is opened again by itself."));
    });
}

// ---- the engine's events

void Session::on_greeting(const Status& status) {
    m_greeting = std::string(status.text);
    m_greeted.fulfil(true);
}

bool Session::on_data(RequestId id, const Response& response) {
    auto found = m_calls.find(id);
    if (found == m_calls.end())
        return false;
    auto call = found->second;
    if (call->abandoned)
        return true;
    return call->on_data && call->on_data(response);
}

void Session::on_unsolicited(const Response& response) {
    if (m_selected) {
        if (auto* exists = std::get_if<Exists>(&response))
            m_selected->exists = exists->count;
        else if (std::get_if<Expunge>(&response) && m_selected->exists > 0)
            --m_selected->exists;
        else if (auto* vanished = std::get_if<Vanished>(&response)) {
            auto gone = UidSet(vanished->uids).count();
            m_selected->exists -= static_cast<uint32_t>(std::min<uint64_t>(gone, m_selected->exists));
        }
    }
    auto listeners = m_listeners;
    for (auto* listener : listeners)
        if (std::find(m_listeners.begin(), m_listeners.end(), listener) != m_listeners.end())
            listener->on_news(*this, response);
}

void Session::on_continuation(RequestId id, std::string_view text) {
    if (m_challenge)
        return m_challenge(text);
    if (id != m_idle)
        return;
    m_idle_granted = true;
    if (std::exchange(m_idle_done_due, false)) {
        m_idling = m_idle_granted = false;
        m_engine.end_idle(m_idle);
    }
}

void Session::on_done(RequestId id, const Completion& completion) {
    if (id == m_idle && completion.verdict != Verdict::ok) {
        // Refused, so not asked for again; whoever watches hears of it as of other news.
        m_idle_wanted = false;
        m_engine.capabilities().drop(Cap::idle);
        m_learnt->capabilities.drop(Cap::idle);
        if (completion.status)
            on_unsolicited(*completion.status);
    }
    if (id == m_idle) {
        m_idling = m_idle_granted = m_idle_done_due = false;
        m_learnt->idle_hung = 0;
    }
    auto found = m_calls.find(id);
    if (found == m_calls.end())
        return;
    auto call = found->second;
    m_calls.erase(found);
    Answer answer = kept(completion);
    if (call->on_answer)
        call->on_answer(answer);
    call->once.fulfil(std::move(answer));
}

void Session::on_end(const Error& error) {
    auto self = shared_from_this();
    m_error = error;
    // A connection that ends under a burst may have ended of it: the next one asks a few at a time.
    if (m_engine.burst() > 0 && m_calls.size() > m_engine.window())
        m_learnt->burst = false;
    m_timer.stop();
    m_idling = m_idle_wanted = false;
    if (m_wire)
        m_wire->close();
    m_challenge = {};
    m_greeted.fulfil(Error(error));
    m_settled.open();
    auto calls = std::exchange(m_calls, {});
    for (auto& [id, call] : calls)
        call->once.fulfil(Error(error));
    while (!m_waiters.empty()) {
        auto* waiter = m_waiters.front();
        m_waiters.pop_front();
        waiter->once.fulfil(Error(error));
    }
    auto listeners = m_listeners;
    for (auto* listener : listeners)
        if (std::find(m_listeners.begin(), m_listeners.end(), listener) != m_listeners.end())
            listener->on_gone(*this, error);
}

void Session::close(Error why) {
    if (m_error)
        return;
    auto self = shared_from_this();
    if (m_wire && m_engine.idle() && m_engine.state() != State::greeting &&
        m_engine.state() != State::logout) {
        m_engine.set_state(State::logout);
        Request logout{Command(m_dialect, "LOGOUT"), "LOGOUT"};
        (void)m_engine.submit(std::move(logout));
        m_idle_wanted = false;
        flush();
    }
    m_engine.end(std::move(why));
}

// ---- figures

SessionStats Session::stats() const {
    if (!m_wire)
        return {};
    auto& stats = m_wire->stats();
    return {stats.bytes_in, stats.bytes_out, stats.round_trips};
}

// ---- the wire log

void Session::log(char who, std::string_view bytes) {
    while (!bytes.empty()) {
        size_t end = bytes.find("\r\n");
        auto line = bytes.substr(0, end);
        std::string text = fmt::format("{}: {}", who, shown(line));
        m_account->log(text);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 2);
    }
}

void Session::log_server(std::span<const char> bytes) {
    std::string_view left(bytes.data(), bytes.size());
    while (!left.empty()) {
        if (m_log_literal > 0) {
            size_t skip = std::min<uint64_t>(m_log_literal, left.size());
            m_log_literal -= skip;
            left.remove_prefix(skip);
            continue;
        }
        size_t end = left.find('\n');
        auto part = left.substr(0, end == std::string_view::npos ? left.size() : end + 1);
        left.remove_prefix(part.size());
        if (m_log_line.size() < 400)
            m_log_line += part.substr(0, 400);
        if (end == std::string_view::npos)
            return;
        if (size_t brace = part.rfind('{'); brace != std::string_view::npos && part.ends_with("}\r\n")) {
            uint64_t size = 0;
            for (char c : part.substr(brace + 1))
                if (c >= '0' && c <= '9' && size < (uint64_t(1) << 40))
                    size = size * 10 + static_cast<uint64_t>(c - '0');
                else
                    break;
            m_log_literal = size;
        }
        bool secret = m_secret_in && m_log_line.starts_with("+");
        m_account->log(secret ? std::string("S: + ****") : fmt::format("S: {}", shown(m_log_line)));
        m_log_line.clear();
    }
}

} // namespace himalaya::imap
