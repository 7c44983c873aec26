#include "jobs/slots.hpp"

namespace himalaya::jobs {

std::optional<Lane> Slots::next(const Waiting& waiting) const {
    if (running() >= m_limit)
        return std::nullopt;
    // The lowest lane first: it has waited behind the most others.
    for (std::size_t i = LANES; i-- > 1;)
        if (waiting[i] && m_passed_over[i] >= PATIENCE && may_start(static_cast<Lane>(i)))
            return static_cast<Lane>(i);
    for (std::size_t i = 0; i < LANES; ++i)
        if (waiting[i] && may_start(static_cast<Lane>(i)))
            return static_cast<Lane>(i);
    return std::nullopt;
}

void Slots::started(Lane lane, const Waiting& still_waiting) {
    ++m_running[index_of(lane)];
    m_passed_over[index_of(lane)] = 0;
    for (std::size_t i = index_of(lane) + 1; i < LANES; ++i)
        m_passed_over[i] = still_waiting[i] ? m_passed_over[i] + 1 : 0;
}

bool Slots::may_start(Lane lane) const {
    if (lane == Lane::user || m_limit <= 1)
        return true;
    int all_but_one = m_limit - 1;
    int background = m_running[index_of(Lane::background)];
    if (lane == Lane::background)
        return background < all_but_one;
    return background < all_but_one || running() < all_but_one;
}

} // namespace himalaya::jobs
