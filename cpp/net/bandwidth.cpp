#include "net/bandwidth.hpp"

#include <algorithm>
#include <cmath>

namespace himalaya::net {

Bandwidth::Bandwidth(std::uint64_t kib_per_second)
    : m_rate(std::clamp<std::uint64_t>(kib_per_second, 1, 1U << 30) * 1024),
      m_tokens(static_cast<double>(m_rate) / 4) {}

void Bandwidth::refill(std::uint64_t now_ms) {
    if (now_ms <= m_last_ms)
        return;
    // After a suspend the clock has jumped: the cap holds all the same.
    double gained = static_cast<double>(now_ms - m_last_ms) * static_cast<double>(m_rate) / 1000;
    m_tokens = std::min(m_tokens + gained, static_cast<double>(m_rate) / 4);
    m_last_ms = now_ms;
}

void Bandwidth::spend(std::uint64_t now_ms, std::size_t bytes) {
    refill(now_ms);
    m_tokens -= static_cast<double>(bytes);
}

std::uint64_t Bandwidth::wait_ms(std::uint64_t now_ms) {
    refill(now_ms);
    if (m_tokens >= 0)
        return 0;
    return static_cast<std::uint64_t>(std::ceil(-m_tokens * 1000 / static_cast<double>(m_rate)));
}

std::size_t Bandwidth::portion() const {
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(m_rate / 10, 1024, 64 * 1024));
}

} // namespace himalaya::net
