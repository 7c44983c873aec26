// Lets the bytes of a fast server gather before the loop is woken. They arrive a TLS record at a time; a reader that is
// woken for each wakes 12,000 times for 200 MB, uses twice the CPU time the bytes need and takes it from the server
// where both are on one machine. SO_RCVLOWAT has the kernel wake us for every 64 KiB instead, and a timer gives up
// waiting for more after two milliseconds: what comes slower than 32 MB a second never meets it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "loop/timer.hpp"

namespace himalaya::net {

// How fast bytes came lately. Pure.
class Flow {
  public:
    void add(std::int64_t now_ms, std::size_t bytes) {
        m_bytes += bytes;
        std::int64_t passed = now_ms - m_since;
        if (passed < MEASURED_MS)
            return;
        m_fast = m_bytes >= FAST_PER_MS * static_cast<std::uint64_t>(passed);
        m_bytes = 0;
        m_since = now_ms;
    }
    bool fast() const { return m_fast; }

  private:
    static constexpr std::int64_t MEASURED_MS = 8;
    static constexpr std::uint64_t FAST_PER_MS = 32 * 1024;

    std::uint64_t m_bytes = 0;
    std::int64_t m_since = 0;
    bool m_fast = false;
};

class Gathering {
  public:
    explicit Gathering(loop::Loop& loop) : m_loop(loop), m_end(loop, "net") {}

    // So many bytes were read from this socket, which stays open until stop().
    void came(int socket, std::size_t bytes);
    void stop() { m_end.stop(); }

  private:
    void wake_at(int socket, int bytes);

    loop::Loop& m_loop;
    loop::Timer m_end;
    Flow m_flow;
    bool m_on = false;
};

} // namespace himalaya::net
