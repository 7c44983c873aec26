#include "net/wire.hpp"

#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "net/wire_impl.hpp"

namespace himalaya::net {

namespace {

constexpr std::size_t SLICE = 16 * 1024; // one TLS record: decrypted, inflated, handed over in one go

} // namespace

// ---- reading ----

void Wire::Impl::on_raw(Result<std::span<const char>> bytes) {
    auto self = shared_from_this();
    if (!bytes) {
        end(lost(bytes.error()));
        return;
    }
    if (bytes->empty()) {
        if (m_switching)
            end(make_error(Code::offline,
                           fmt::format("{}:{} closed the connection in the middle of the TLS handshake.",
                                       m_host, m_options.port),
                           "If it stays so, see whether imap.port and imap.tls are right."));
        else
            end(std::nullopt);
        return;
    }
    m_awaiting = false;
    m_stats.bytes_in += bytes->size();
    if (m_options.bandwidth)
        m_options.bandwidth->spend(static_cast<std::uint64_t>(m_loop.now_ms()), bytes->size());
    if (m_tls)
        m_tls->feed(*bytes);
    else
        m_raw.feed(*bytes);
    if (m_handshake)
        advance_handshake();
    pump();
    // The view is about to go.
    if (m_tls)
        m_tls->keep();
    else
        m_raw.keep();
    if (m_inflater)
        m_inflater->keep();
    if (m_tcp && !m_ended)
        m_gathering.came(m_tcp->fd(), bytes->size());
    pause_reading();
    update_reading();
}

void Wire::Impl::pause_reading() {
    if (!m_options.bandwidth || m_ended)
        return;
    std::uint64_t wait = m_options.bandwidth->wait_ms(static_cast<std::uint64_t>(m_loop.now_ms()));
    m_paused = wait > 0;
    if (m_paused)
        m_read_pause.start(wait, 0, [this] {
            pause_reading(); // the others may have moved more meanwhile
            update_reading();
        });
}

bool Wire::Impl::holds_input() const {
    return !m_raw.empty() || (m_tls && m_tls->pending() > 0) || (m_inflater && m_inflater->holds());
}

void Wire::Impl::update_reading() {
    if (!m_tcp || m_ended)
        return;
    bool reader = m_switching ? m_handshake != nullptr : m_wanted && !holds_input();
    bool read = reader && !m_paused;
    if (read && !m_tcp->reading()) {
        Result<void> started =
            m_tcp->read_start([this](Result<std::span<const char>> bytes) { on_raw(std::move(bytes)); });
        if (!started)
            end_later(lost(started.error()));
    } else if (!read && m_tcp->reading()) {
        m_tcp->read_stop();
    }
}

void Wire::Impl::pump_later() {
    if (std::exchange(m_pump_due, true))
        return;
    m_loop.defer([weak = weak_from_this()] {
        if (std::shared_ptr<Impl> self = weak.lock()) {
            self->m_pump_due = false;
            loop::Slice slice(self->m_loop.budget(), "net");
            self->pump();
            self->update_reading();
        }
    });
}

// Hands over what is here, at least one slice, until the reader or the budget has had enough.
void Wire::Impl::pump() {
    if (m_pumping)
        return;
    auto self = shared_from_this();
    m_pumping = true;
    std::optional<Error> failed;
    bool at_end = false;
    for (int slices = 0; m_wanted && !m_switching && !m_ended && m_handlers; ++slices) {
        if (slices > 0 && m_loop.budget().exhausted(loop::Budget::STREAMS_NS)) {
            pump_later();
            break;
        }
        Result<std::span<const char>> bytes = step();
        if (!bytes) {
            failed = bytes.error();
            break;
        }
        if (bytes->empty()) {
            at_end = (m_tls && m_tls->ended()) || (m_inflater && m_inflater->ended());
            break;
        }
        std::shared_ptr<Handlers> handlers = m_handlers;
        handlers->on_bytes(*bytes);
    }
    m_pumping = false;
    if (failed)
        end(std::move(failed));
    else if (at_end)
        end(std::nullopt);
}

// The next bytes for the reader; none when more have to come first.
Result<std::span<const char>> Wire::Impl::step() {
    if (!m_inflater)
        return plain();
    while (true) {
        if (m_inflater->holds()) {
            Result<std::size_t> count = m_inflater->read({m_inflated.get(), SLICE});
            if (!count)
                return count.error();
            if (*count > 0)
                return std::span<const char>(m_inflated.get(), *count);
            if (m_inflater->ended())
                return std::span<const char>();
        }
        Result<std::span<const char>> compressed = plain();
        if (!compressed || compressed->empty())
            return compressed;
        m_inflater->feed(*compressed);
    }
}

Result<std::span<const char>> Wire::Impl::plain() {
    if (!m_tls)
        return m_raw.take(SLICE);
    Result<std::size_t> count = m_tls->read({m_decrypted.get(), SLICE});
    // An answer to a key update, or the alert that goes with an error.
    std::string output = m_tls->take_output();
    if (!output.empty())
        send_raw(std::move(output));
    if (!count)
        return count.error();
    return std::span<const char>(m_decrypted.get(), *count);
}

void Wire::Impl::read_start(OnBytes on_bytes, OnEnd on_end) {
    m_handlers = std::make_shared<Handlers>(Handlers{std::move(on_bytes), std::move(on_end)});
    read_resume();
}

void Wire::Impl::read_resume() {
    m_wanted = true;
    if (holds_input())
        pump_later();
    update_reading();
}

void Wire::Impl::read_stop() {
    m_wanted = false;
    update_reading();
}

// ---- TLS and DEFLATE ----

loop::Task<void> Wire::Impl::handshake(loop::CancelToken token) {
    auto self = shared_from_this();
    m_switching = true;
    // Whatever came in the clear and was not read yet may have been put there by anybody.
    m_stats.discarded += m_raw.size();
    m_raw.clear();
    update_reading();
    std::shared_ptr<TlsContext> context = co_await m_net.tls(m_options.ca_file, token);
    if (!m_tcp || m_ended)
        throw make_error(Code::offline, fmt::format("The connection to {} is closed.", m_host));
    m_decrypted = std::make_unique<char[]>(SLICE);
    m_tls = std::make_unique<TlsEngine>(std::move(context), m_host, m_options.port);
    auto once = std::make_shared<loop::Once<void>>();
    m_handshake = once;
    {
        loop::Slice slice(m_loop.budget(), "net");
        advance_handshake();
    }
    update_reading();
    co_await once->wait(token);
}

void Wire::Impl::advance_handshake() {
    Result<bool> done = m_tls->handshake();
    std::string output = m_tls->take_output();
    if (!output.empty())
        send_raw(std::move(output));
    if (!done) {
        end(done.error());
    } else if (*done) {
        m_switching = false;
        std::exchange(m_handshake, nullptr)->fulfil({});
        pump_out();
    }
}

void Wire::Impl::start_deflate(std::span<const char> behind) {
    if (m_inflater)
        return;
    m_inflated = std::make_unique<char[]>(SLICE);
    m_inflater = std::make_unique<Inflater>();
    m_deflater = std::make_unique<Deflater>();
    m_inflater->feed(behind);
    m_inflater->keep();
    if (holds_input())
        pump_later();
    update_reading();
}

// ---- the end ----

Error Wire::Impl::lost(const Error& cause) const {
    std::size_t colon = cause.message.find(": ");
    std::string why = colon == std::string::npos ? cause.message : cause.message.substr(colon + 2);
    return make_error(Code::offline, fmt::format("The connection to {} was lost: {}", m_host, why),
                      "Nothing to do: it is tried again.");
}

void Wire::Impl::end(std::optional<Error> error) {
    if (std::exchange(m_ended, true))
        return;
    auto self = shared_from_this();
    m_gathering.stop();
    m_read_pause.stop();
    m_write_pause.stop();
    if (m_tcp)
        m_tcp->read_stop();
    Error reason =
        error ? *error : make_error(Code::offline, fmt::format("{} closed the connection.", m_host));
    m_switching = false;
    if (auto handshake = std::exchange(m_handshake, nullptr))
        handshake->fulfil(reason);
    std::vector<std::shared_ptr<Drain>> waiting;
    waiting.swap(m_drains);
    for (std::shared_ptr<Drain>& drain : waiting)
        drain->once.fulfil(reason);
    std::shared_ptr<Handlers> handlers = std::exchange(m_handlers, nullptr);
    if (handlers && handlers->on_end)
        handlers->on_end(std::move(error));
}

void Wire::Impl::end_later(Error error) {
    m_loop.defer([weak = weak_from_this(), error = std::move(error)]() mutable {
        if (std::shared_ptr<Impl> self = weak.lock())
            self->end(std::move(error));
    });
}

void Wire::Impl::close() {
    m_handlers = nullptr;
    if (!m_tcp)
        return;
    if (m_tls && !m_ended) {
        m_tls->close_notify();
        send_raw(m_tls->take_output());
    }
    m_ended = true;
    m_gathering.stop();
    m_read_pause.stop();
    m_write_pause.stop();
    for (Outgoing& outgoing : m_out)
        if (outgoing.wipe == Wipe::yes)
            OPENSSL_cleanse(outgoing.text.data(), outgoing.text.size());
    m_out.clear();
    m_queued = 0;
    m_tcp.reset();
    Error reason = make_error(Code::cancelled, fmt::format("The connection to {} was closed.", m_host));
    if (auto handshake = std::exchange(m_handshake, nullptr))
        handshake->fulfil(reason);
    std::vector<std::shared_ptr<Drain>> waiting;
    waiting.swap(m_drains);
    for (std::shared_ptr<Drain>& drain : waiting)
        drain->once.fulfil(reason);
}

// ---- the handle ----

loop::Task<std::unique_ptr<Wire>> Wire::open(Net& net, WireOptions options, loop::CancelToken token) {
    std::string host = to_ascii(options.host).or_throw();
    std::string late = fmt::format("{}:{} did not answer within {} s.", host, options.port,
                                   (options.timeout_ms + 999) / 1000);
    loop::Deadline deadline(net.loop(), options.timeout_ms, token, late);
    loop::CancelToken until = deadline.token();
    std::uint16_t port = options.port;
    bool implicit = options.security == Security::implicit;
    if (options.security == Security::none)
        co_await net.crypto(until);
    else
        net.expect_tls(options.ca_file);
    auto impl = std::make_shared<Impl>(net, std::move(options), host);
    Connected connected = co_await connect(net.loop(), net.resolver(), host, port, until);
    impl->adopt(std::move(connected));
    std::unique_ptr<Wire> wire(new Wire(impl));
    if (implicit)
        co_await impl->handshake(until);
    co_return wire;
}

Wire::Wire(std::shared_ptr<Impl> impl) : m_impl(std::move(impl)) {}

Wire::~Wire() {
    m_impl->close();
}

void Wire::read_start(OnBytes on_bytes, OnEnd on_end) {
    m_impl->read_start(std::move(on_bytes), std::move(on_end));
}

void Wire::read_resume() {
    m_impl->read_resume();
}

void Wire::read_stop() {
    m_impl->read_stop();
}

void Wire::write(std::string_view text, Wipe wipe) {
    m_impl->write(text, wipe);
}

void Wire::write(std::string text) {
    m_impl->write(std::move(text));
}

void Wire::write(std::shared_ptr<const std::string> text) {
    m_impl->write(std::move(text));
}

std::size_t Wire::unheard() const {
    return m_impl->unheard();
}

std::size_t Wire::unsent() const {
    return m_impl->unsent();
}

loop::Task<void> Wire::drained(std::size_t most, loop::CancelToken token) {
    return m_impl->drained(most, std::move(token));
}

loop::Task<void> Wire::start_tls(loop::CancelToken token) {
    return m_impl->handshake(std::move(token));
}

void Wire::start_deflate(std::span<const char> behind) {
    m_impl->start_deflate(behind);
}

bool Wire::encrypted() const {
    return m_impl->tls() && m_impl->tls()->done();
}

bool Wire::compressed() const {
    return m_impl->compressed();
}

bool Wire::resumed() const {
    return m_impl->tls() && m_impl->tls()->resumed();
}

std::string Wire::tls_version() const {
    return m_impl->tls() ? m_impl->tls()->version() : "";
}

std::string Wire::exporter_binding() const {
    return m_impl->tls() ? m_impl->tls()->exporter_binding() : "";
}

std::string Wire::end_point_binding() const {
    return m_impl->tls() ? m_impl->tls()->end_point_binding() : "";
}

std::string Wire::peer_address() const {
    return m_impl->address();
}

const WireStats& Wire::stats() const {
    return m_impl->stats();
}

void Wire::close() {
    m_impl->close();
}

} // namespace himalaya::net
