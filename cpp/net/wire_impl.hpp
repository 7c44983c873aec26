// What a Wire is made of: the layers bytes pass on their way up (wire.cpp) and down (wire_out.cpp).
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "loop/stream.hpp"
#include "loop/timer.hpp"
#include "net/connect.hpp"
#include "net/deflate.hpp"
#include "net/gathering.hpp"
#include "net/net.hpp"
#include "net/tls.hpp"
#include "net/wire.hpp"

namespace himalaya::net {

class Wire::Impl : public std::enable_shared_from_this<Wire::Impl> {
  public:
    Impl(Net& net, WireOptions options, std::string host)
        : m_net(net), m_loop(net.loop()), m_options(std::move(options)), m_host(std::move(host)),
          m_gathering(m_loop), m_read_pause(m_loop, "net"), m_write_pause(m_loop, "net") {}

    void adopt(Connected connected) {
        m_tcp = std::move(connected.tcp);
        m_address = connected.address.text();
    }

    loop::Task<void> handshake(loop::CancelToken token);
    void read_start(OnBytes on_bytes, OnEnd on_end);
    void read_resume();
    void read_stop();
    void write(std::string_view text, Wipe wipe);
    void write(std::string text);
    void write(std::shared_ptr<const std::string> text);
    loop::Task<void> drained(std::size_t most, loop::CancelToken token);
    void start_deflate(std::span<const char> behind);
    void close();

    std::size_t unheard() const;
    std::size_t unsent() const { return m_queued + (m_tcp ? m_tcp->unwritten() : 0); }
    const TlsEngine* tls() const { return m_tls.get(); }
    bool compressed() const { return m_inflater != nullptr; }
    const std::string& address() const { return m_address; }
    const WireStats& stats() const { return m_stats; }

  private:
    struct Handlers {
        OnBytes on_bytes;
        OnEnd on_end;
    };
    struct Outgoing {
        std::string text;
        std::size_t sent = 0;
        Wipe wipe = Wipe::no;
        std::shared_ptr<const std::string> shared; // in place of the text

        const std::string& all() const { return shared ? *shared : text; }
    };
    struct Drain {
        std::size_t most;
        loop::Once<void> once;
    };

    // Reading, from the network up.
    void on_raw(Result<std::span<const char>> bytes);
    void advance_handshake();
    void pump();
    void pump_later();
    Result<std::span<const char>> step();
    Result<std::span<const char>> plain();
    bool holds_input() const;
    void update_reading();
    void pause_reading();

    // Writing, from the user down.
    void pump_out();
    void pump_out_later();
    bool send(std::string_view text);
    void send_raw(std::string bytes);
    void wake_drained();

    // The end.
    void end(std::optional<Error> error);
    void end_later(Error error);
    Error lost(const Error& cause) const;

    Net& m_net;
    loop::Loop& m_loop;
    WireOptions m_options;
    std::string m_host;
    std::string m_address;
    std::unique_ptr<loop::Tcp> m_tcp;
    std::unique_ptr<TlsEngine> m_tls;
    std::unique_ptr<Inflater> m_inflater;
    std::unique_ptr<Deflater> m_deflater;
    Input m_raw; // of a connection without TLS
    std::unique_ptr<char[]> m_decrypted;
    std::unique_ptr<char[]> m_inflated;
    std::shared_ptr<Handlers> m_handlers;
    std::shared_ptr<loop::Once<void>> m_handshake; // while it is under way
    bool m_switching = false;                      // from start_tls() to the end of the handshake
    bool m_wanted = false;
    bool m_pumping = false;
    bool m_pump_due = false;
    bool m_pump_out_due = false;
    bool m_paused = false; // by the byte budget
    bool m_ended = false;
    bool m_awaiting = false; // something was written since the last read
    std::deque<Outgoing> m_out;
    std::size_t m_queued = 0;
    std::vector<std::shared_ptr<Drain>> m_drains;
    Gathering m_gathering;
    loop::Timer m_read_pause;
    loop::Timer m_write_pause;
    WireStats m_stats;
};

} // namespace himalaya::net
