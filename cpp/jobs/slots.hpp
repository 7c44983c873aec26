// Which lane gets the next free slot. user before ui before background, with two promises on top:
//  - Background work holds at most all slots but one, and where it holds all but one, the last is kept for
//  `user`: what
//    somebody asked for by a key press starts at once however much is being fetched behind the screen.
//  - No lane starves. A lane that waits is passed over at most PATIENCE times by the lanes above; then the
//  next slot
//    that it may have is its own. So the n-th job of a lane starts after at most n * (PATIENCE + 1) starts of
//    others.
#pragma once

#include "jobs/spec.hpp"

namespace himalaya::jobs {

class Slots {
  public:
    using Waiting = std::array<bool, LANES>;
    static constexpr int PATIENCE = 8;

    explicit Slots(int limit) : m_limit(limit) {}

    std::optional<Lane> next(const Waiting& waiting) const;
    void started(Lane lane, const Waiting& still_waiting);
    void ended(Lane lane) { --m_running[index_of(lane)]; }

    void set_limit(int limit) { m_limit = limit; }
    int limit() const { return m_limit; }
    int running() const { return m_running[0] + m_running[1] + m_running[2]; }

  private:
    bool may_start(Lane lane) const;

    int m_limit;
    std::array<int, LANES> m_running{};
    std::array<int, LANES> m_passed_over{};
};

} // namespace himalaya::jobs
