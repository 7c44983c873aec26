// One connection through the proxy: client socket <-> (delay, bandwidth) <-> (TLS, or nothing) <-> server socket.
//
// The delay lies next to the client, so that a TLS handshake pays for it as on a real line. Faults, command counts
// and watched lines are looked for on the server's side of TLS, where the bytes are IMAP.
#pragma once

#include <openssl/ssl.h>
#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy_onlooker.hpp"
#include "proxy_shared.hpp"

namespace proxy {

class Connection {
  public:
    Connection(Shared& shared, int id) : m_shared(shared) {
        m_figures.id = id;
        if (m_shared.fault.harm != Harm::none && m_shared.fault.times > 0) {
            m_fault = m_shared.fault;
            m_shared.fault.times--;
        }
    }
    ~Connection() { SSL_free(m_tls); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Takes the waiting client of `listener` and dials `target`; a null `target` dials nobody and answers nothing.
    void open(uv_stream_t* listener, const sockaddr* target) {
        for (uv_tcp_t* socket : {&m_client, &m_server}) {
            uv_tcp_init(m_shared.loop, socket);
            adopt(socket);
        }
        for (Lane& lane : m_lanes) {
            uv_timer_init(m_shared.loop, &lane.timer);
            adopt(&lane.timer);
        }
        if (uv_accept(listener, stream(m_client)) != 0)
            return close();
        uv_tcp_nodelay(&m_client, 1);
        // A slow line holds little; the kernel would take megabytes at once on its behalf.
        int held = 64 << 10;
        if (m_shared.limits.bytes_per_ns > 0)
            uv_recv_buffer_size(reinterpret_cast<uv_handle_t*>(&m_client), &held);
        if (m_shared.tls) {
            m_tls = SSL_new(m_shared.tls);
            SSL_set_bio(m_tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
            SSL_set_accept_state(m_tls);
        }
        m_silent = target == nullptr;
        if (!m_silent) {
            m_connect.data = this;
            uv_tcp_connect(&m_connect, &m_server, target, [](uv_connect_t* request, int status) {
                auto& self = *static_cast<Connection*>(request->data);
                if (self.m_closing)
                    return;
                if (status < 0)
                    return self.close(true);
                uv_tcp_nodelay(&self.m_server, 1);
                self.m_connected = true;
                self.write(self.m_server, std::exchange(self.m_early, {}));
                self.feed(Direction::down);
            });
        }
        feed(Direction::up);
    }

    void close(bool reset = false) {
        if (m_closing)
            return;
        m_closing = true;
        m_figures.open = false;
        auto forget = [](uv_handle_t* handle) { of(handle).m_handles--; };
        if (!reset || uv_tcp_close_reset(&m_client, reinterpret_cast<uv_close_cb>(+forget)) != 0)
            uv_close(handle(m_client), forget);
        uv_close(handle(m_server), forget);
        for (Lane& lane : m_lanes)
            uv_close(handle(lane.timer), forget);
    }

    // Nothing moves either way while stalled; both sockets stay open.
    void stall(bool stalled) {
        m_stopped[0] = m_stopped[1] = stalled;
        for (Direction direction : {Direction::up, Direction::down})
            if (!m_closing && !stalled) {
                deliver(direction);
                feed(direction);
            }
    }

    // True once nothing of it is left in the loop.
    bool gone() const { return m_handles == 0; }
    const Figures& figures() const { return m_figures; }
    void start_counting() {
        m_figures = {m_figures.id};
        m_figures.round_trips = 0;
    }

  private:
    struct Chunk {
        std::uint64_t due;
        std::string bytes;
        Harm then; // a cut waits behind the bytes before it
    };
    struct Lane { // bytes on their way across the slow line
        std::deque<Chunk> chunks;
        std::size_t waiting = 0;
        uv_timer_t timer;
        bool ended = false; // what comes after a cut is dropped
    };
    struct Write {
        uv_write_t request;
        std::string bytes;
    };

    static uv_stream_t* stream(uv_tcp_t& socket) { return reinterpret_cast<uv_stream_t*>(&socket); }
    template<class T>
    static uv_handle_t* handle(T& of) {
        return reinterpret_cast<uv_handle_t*>(&of);
    }
    template<class T>
    static Connection& of(T* handle) {
        return *static_cast<Connection*>(handle->data);
    }
    template<class T>
    void adopt(T* handle) {
        handle->data = this;
        m_handles++;
    }
    uv_tcp_t& source(Direction direction) { return direction == Direction::up ? m_client : m_server; }
    uv_tcp_t& sink(Direction direction) { return direction == Direction::up ? m_server : m_client; }
    Lane& lane(Direction direction) { return m_lanes[static_cast<int>(direction)]; }
    bool& stopped(Direction direction) { return m_stopped[static_cast<int>(direction)]; }

    // -- the slow line, next to the client

    // What may wait before its source is no longer read: the line's own content, and little more, so that
    // connections that share a bandwidth share it fairly.
    std::size_t capacity() const {
        const Limits& limits = m_shared.limits;
        if (limits.bytes_per_ns == 0)
            return 8 << 20;
        return static_cast<std::size_t>(limits.bytes_per_ns * (limits.delay + 10e6)) +
               std::min<std::size_t>(64 << 10, portion());
    }

    // Read at a time: over a slow line no more than passes in 20 ms, or a packet's worth. Whoever shares the line waits
    // for what was read before.
    std::size_t portion() const {
        constexpr std::size_t MOST = 128 << 10;
        double rate = m_shared.limits.bytes_per_ns;
        return rate > 0 ? std::clamp<std::size_t>(static_cast<std::size_t>(rate * 20e6), 1460, MOST) : MOST;
    }

    bool full(Direction direction) {
        return stopped(direction) || lane(direction).waiting > capacity() ||
               uv_stream_get_write_queue_size(stream(sink(direction))) > (1 << 20);
    }

    void feed(Direction direction) {
        if (m_closing || full(direction) || (direction == Direction::down && !m_connected))
            return;
        uv_read_start(
            stream(source(direction)),
            [](uv_handle_t* from, std::size_t, uv_buf_t* buffer) {
                std::vector<char>& room = of(from).m_buffer;
                room.resize(of(from).portion());
                *buffer = uv_buf_init(room.data(), room.size());
            },
            [](uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) {
                Connection& self = of(from);
                Direction way = from == stream(self.m_client) ? Direction::up : Direction::down;
                if (count < 0)
                    self.ended(way);
                else if (way == Direction::up)
                    self.from_client({buffer->base, static_cast<std::size_t>(count)});
                else
                    self.from_server({buffer->base, static_cast<std::size_t>(count)});
                if (!self.m_closing && self.full(way))
                    uv_read_stop(from);
            });
    }

    void ended(Direction way) {
        uv_read_stop(stream(source(way)));
        if (way == Direction::down)
            post(Direction::down, {}, Harm::cut);
        else
            close();
    }

    void post(Direction way, std::string bytes, Harm then = Harm::none) {
        Lane& line = lane(way);
        if (line.ended || m_closing)
            return;
        line.ended = then != Harm::none;
        Limits& limits = m_shared.limits;
        if (limits.delay == 0 && limits.bytes_per_ns == 0 && line.chunks.empty() && !stopped(way))
            return arrive(way, {0, std::move(bytes), then});
        std::uint64_t due = uv_hrtime();
        if (limits.bytes_per_ns > 0) {
            std::uint64_t& free_at = limits.free_at[static_cast<int>(way)];
            due = free_at =
                std::max(due, free_at) + static_cast<std::uint64_t>(bytes.size() / limits.bytes_per_ns);
        }
        line.waiting += bytes.size();
        line.chunks.push_back({due + limits.delay, std::move(bytes), then});
        if (line.chunks.size() == 1)
            deliver(way);
    }

    void deliver(Direction way) {
        Lane& line = lane(way);
        while (!line.chunks.empty() && !stopped(way) && !m_closing) {
            std::uint64_t now = uv_hrtime();
            if (line.chunks.front().due > now) {
                uv_update_time(m_shared.loop);
                uv_timer_start(
                    &line.timer,
                    [](uv_timer_t* timer) {
                        Connection& self = of(timer);
                        self.deliver(timer == &self.m_lanes[0].timer ? Direction::up : Direction::down);
                    },
                    (line.chunks.front().due - now + 999999) / 1000000, 0);
                break;
            }
            Chunk chunk = std::move(line.chunks.front());
            line.chunks.pop_front();
            line.waiting -= chunk.bytes.size();
            arrive(way, std::move(chunk));
        }
        feed(way);
    }

    void arrive(Direction way, Chunk chunk) {
        if (way == Direction::up)
            decode(chunk.bytes);
        else
            write(m_client, std::move(chunk.bytes));
        if (chunk.then != Harm::none)
            close_when_written(chunk.then == Harm::reset);
    }

    // -- TLS, where it ends here

    void from_client(std::string_view bytes) {
        if (!m_client_spoke_last && m_heard)
            m_figures.round_trips++;
        m_client_spoke_last = true;
        if (!m_silent)
            post(Direction::up, std::string(bytes));
    }

    void decode(std::string& bytes) {
        if (!m_tls)
            return pass(Direction::up, bytes);
        BIO_write(SSL_get_rbio(m_tls), bytes.data(), static_cast<int>(bytes.size()));
        std::string plain(bytes.size() + 1, '\0');
        int count;
        while ((count = SSL_read(m_tls, plain.data(), static_cast<int>(plain.size()))) > 0) {
            std::string part = plain.substr(0, count);
            pass(Direction::up, part);
        }
        if (int why = SSL_get_error(m_tls, count); why == SSL_ERROR_SSL) {
            send_encrypted();
            return close_when_written(false);
        }
        if (SSL_is_init_finished(m_tls) && !m_unencrypted.empty()) {
            std::string early = std::exchange(m_unencrypted, {});
            SSL_write(m_tls, early.data(), static_cast<int>(early.size()));
        }
        send_encrypted();
    }

    void send_encrypted() {
        BIO* out = SSL_get_wbio(m_tls);
        if (std::size_t ready = BIO_ctrl_pending(out)) {
            std::string bytes(ready, '\0');
            BIO_read(out, bytes.data(), static_cast<int>(ready));
            to_client(std::move(bytes));
        }
    }

    void to_client(std::string bytes) {
        m_heard = true;
        m_client_spoke_last = false;
        post(Direction::down, std::move(bytes));
    }

    void from_server(std::string bytes) { pass(Direction::down, bytes); }

    // -- the server's side: what is plain IMAP

    void pass(Direction way, std::string& bytes) {
        if (lane(way).ended && way == Direction::down)
            return;
        Harm harm = Harm::none;
        std::int64_t& count = m_figures.bytes[static_cast<int>(way)];
        if (m_fault.byte >= 0 && m_fault.direction == way &&
            count + std::int64_t(bytes.size()) > m_fault.byte) {
            harm = m_fault.harm;
            bytes.resize(std::max<std::int64_t>(0, m_fault.byte - count));
        }
        m_onlooker.look(way, bytes);
        count += bytes.size();
        if (way == Direction::up && m_fault.command >= 0 && m_figures.commands >= m_fault.command)
            harm = m_fault.harm;
        if (!bytes.empty()) {
            if (way == Direction::up) {
                if (m_connected)
                    write(m_server, std::move(bytes));
                else
                    m_early += bytes;
            } else if (!m_tls) {
                to_client(std::move(bytes));
            } else if (!SSL_is_init_finished(m_tls)) {
                m_unencrypted += bytes;
            } else {
                SSL_write(m_tls, bytes.data(), static_cast<int>(bytes.size()));
                send_encrypted();
            }
        }
        if (harm != Harm::none)
            suffer(harm);
    }

    void suffer(Harm harm) {
        m_fault = {};
        switch (harm) {
        case Harm::none:
            break;
        case Harm::cut:
        case Harm::reset:
            post(Direction::down, {}, harm);
            break;
        case Harm::stall:
            stall(true);
            break;
        case Harm::swallow: // the line is dead but nobody is told: what the client sends goes nowhere
            m_silent = true;
            lane(Direction::down).ended = true;
            break;
        }
    }

    void write(uv_tcp_t& to, std::string bytes) {
        if (bytes.empty() || m_closing)
            return;
        auto* write = new Write{{}, std::move(bytes)};
        write->request.data = this;
        uv_buf_t buffer = uv_buf_init(write->bytes.data(), write->bytes.size());
        int result = uv_write(&write->request, stream(to), &buffer, 1, [](uv_write_t* request, int status) {
            Connection& self = of(request);
            delete reinterpret_cast<Write*>(request);
            if (self.m_closing)
                return;
            if (status < 0)
                return self.close();
            if (self.m_close_when_written && uv_stream_get_write_queue_size(stream(self.m_client)) == 0)
                return self.close(self.m_reset);
            self.feed(Direction::up);
            self.feed(Direction::down);
        });
        if (result < 0) {
            delete write;
            close();
        }
    }

    void close_when_written(bool reset) {
        if (uv_stream_get_write_queue_size(stream(m_client)) == 0)
            return close(reset);
        m_close_when_written = true;
        m_reset = reset;
    }

    Shared& m_shared;
    Figures m_figures;
    Fault m_fault;
    uv_tcp_t m_client, m_server;
    uv_connect_t m_connect;
    Lane m_lanes[2];
    Onlooker m_onlooker{m_shared, m_figures};
    SSL* m_tls = nullptr;
    std::string m_unencrypted; // the server's words while the handshake is not done
    std::string m_early;       // the client's words while the server is not connected
    std::vector<char> m_buffer;
    int m_handles = 0;
    bool m_closing = false, m_connected = false, m_silent = false;
    bool m_heard = false, m_client_spoke_last = false;
    bool m_close_when_written = false, m_reset = false;
    bool m_stopped[2] = {false, false};
};

} // namespace proxy
