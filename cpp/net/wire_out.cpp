// The way down of a Wire: what is written is compressed, encrypted and given to the kernel in slices under the turn's
// budget and the account's, and only so much of it ahead.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "net/wire_impl.hpp"

namespace himalaya::net {

namespace {

constexpr std::size_t WRITE_SLICE = 64 * 1024;  // encrypted in one go
constexpr std::size_t WRITE_AHEAD = 256 * 1024; // encrypted and not yet with the kernel, at most
constexpr std::size_t SMALL_WRITE = 4 * 1024;   // a command: never held back by the byte budget

} // namespace

void Wire::Impl::write(std::string_view text, Wipe wipe) {
    if (m_ended || !m_tcp || text.empty())
        return;
    // Nothing waits: it goes out as it is, and no copy of it is made before it is encrypted.
    if (m_out.empty() && !m_switching && text.size() <= SMALL_WRITE) {
        if (m_options.bandwidth)
            m_options.bandwidth->spend(static_cast<std::uint64_t>(m_loop.now_ms()), text.size());
        send(text);
        return;
    }
    m_queued += text.size();
    m_out.push_back({std::string(text), 0, wipe, nullptr});
    pump_out();
}

void Wire::Impl::write(std::string text) {
    if (m_ended || !m_tcp || text.empty())
        return;
    m_queued += text.size();
    m_out.push_back({std::move(text), 0, Wipe::no, nullptr});
    pump_out();
}

void Wire::Impl::write(std::shared_ptr<const std::string> text) {
    if (m_ended || !m_tcp || !text || text->empty())
        return;
    m_queued += text->size();
    m_out.push_back({{}, 0, Wipe::no, std::move(text)});
    pump_out();
}

std::size_t Wire::Impl::unheard() const {
    std::size_t count = unsent();
    int waiting = 0;
#if defined(SIOCOUTQ)
    if (m_tcp && ioctl(m_tcp->fd(), SIOCOUTQ, &waiting) == 0)
        count += static_cast<std::size_t>(std::max(waiting, 0));
#elif defined(SO_NWRITE)
    socklen_t size = sizeof waiting;
    if (m_tcp && getsockopt(m_tcp->fd(), SOL_SOCKET, SO_NWRITE, &waiting, &size) == 0)
        count += static_cast<std::size_t>(std::max(waiting, 0));
#endif
    return count;
}

void Wire::Impl::pump_out_later() {
    if (std::exchange(m_pump_out_due, true))
        return;
    m_loop.defer([weak = weak_from_this()] {
        if (std::shared_ptr<Impl> self = weak.lock()) {
            self->m_pump_out_due = false;
            loop::Slice slice(self->m_loop.budget(), "net");
            self->pump_out();
        }
    });
}

void Wire::Impl::pump_out() {
    auto self = shared_from_this();
    for (int slices = 0; !m_out.empty() && !m_ended && m_tcp && !m_switching; ++slices) {
        if (m_tcp->unwritten() >= WRITE_AHEAD)
            return; // goes on when the kernel has taken some
        if (slices > 0 && m_loop.budget().exhausted(loop::Budget::STREAMS_NS)) {
            pump_out_later();
            return;
        }
        Outgoing& first = m_out.front();
        std::string_view text = std::string_view(first.all()).substr(first.sent, WRITE_SLICE);
        if (m_options.bandwidth) {
            auto now = static_cast<std::uint64_t>(m_loop.now_ms());
            std::uint64_t wait = first.all().size() > SMALL_WRITE ? m_options.bandwidth->wait_ms(now) : 0;
            if (wait > 0) {
                m_write_pause.start(wait, 0, [this] { pump_out(); });
                return;
            }
            text = text.substr(0, std::max(m_options.bandwidth->portion(), SMALL_WRITE));
            m_options.bandwidth->spend(now, text.size());
        }
        if (!send(text))
            return;
        first.sent += text.size();
        m_queued -= text.size();
        if (first.sent == first.all().size()) {
            if (first.wipe == Wipe::yes)
                OPENSSL_cleanse(first.text.data(), first.text.size());
            m_out.pop_front();
        }
    }
}

bool Wire::Impl::send(std::string_view text) {
    std::string compressed;
    if (m_deflater) {
        m_deflater->write(text, compressed);
        text = compressed;
    }
    if (!m_tls) {
        send_raw(std::string(text));
        return true;
    }
    if (Result<void> written = m_tls->write(text); !written) {
        end_later(written.error());
        return false;
    }
    send_raw(m_tls->take_output());
    return true;
}

void Wire::Impl::send_raw(std::string bytes) {
    if (!m_tcp)
        return;
    if (!std::exchange(m_awaiting, true))
        ++m_stats.round_trips;
    m_stats.bytes_out += bytes.size();
    m_tcp->write(std::move(bytes), [this](std::optional<Error> error) {
        auto self = shared_from_this();
        if (error) {
            end_later(lost(*error));
            return;
        }
        // uv comes here again and again in one turn while the kernel takes all at once.
        if (m_loop.budget().exhausted(loop::Budget::STREAMS_NS))
            pump_out_later();
        else
            pump_out();
        wake_drained();
    });
}

void Wire::Impl::wake_drained() {
    std::vector<std::shared_ptr<Drain>> waiting;
    waiting.swap(m_drains);
    for (std::shared_ptr<Drain>& drain : waiting) {
        if (unsent() <= drain->most)
            drain->once.fulfil({});
        else
            m_drains.push_back(drain);
    }
}

loop::Task<void> Wire::Impl::drained(std::size_t most, loop::CancelToken token) {
    auto self = shared_from_this();
    if (m_ended || !m_tcp)
        throw make_error(Code::offline, fmt::format("The connection to {} is closed.", m_host));
    if (unsent() <= most)
        co_return;
    auto drain = std::make_shared<Drain>();
    drain->most = most;
    m_drains.push_back(drain);
    co_await drain->once.wait(token);
}

} // namespace himalaya::net
