#include "jobs/backoff.hpp"

#include <algorithm>

namespace himalaya::jobs {

Time backoff(Time first, int attempt, std::uint64_t chance) {
    if (first <= 0)
        return 0;
    Time wait = std::min(first, LONGEST_BACKOFF);
    for (int i = 1; i < attempt && wait < LONGEST_BACKOFF; ++i)
        wait = std::min(wait * 2, LONGEST_BACKOFF);
    return wait + static_cast<Time>(chance % static_cast<std::uint64_t>(wait / 2 + 1));
}

std::uint64_t Chance::next() {
    m_state ^= m_state >> 12;
    m_state ^= m_state << 25;
    m_state ^= m_state >> 27;
    return m_state * 0x2545F4914F6CDD1DULL;
}

} // namespace himalaya::jobs
