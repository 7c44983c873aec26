// How long to wait before the next attempt. The first wait is `first`, each further one twice the last, at
// most a minute, and up to half as much again by chance so that jobs that failed together do not come back
// together. Jitter only adds: who asked for 500 ms is never tried earlier.
#pragma once

#include "jobs/spec.hpp"

namespace himalaya::jobs {

constexpr Time LONGEST_BACKOFF = 60'000 * MILLISECOND;

// `attempt` is the one that failed, from 1; `chance` any 64 random bits.
Time backoff(Time first, int attempt, std::uint64_t chance);

// xorshift64*: small, seedable, good enough to spread retries.
class Chance {
  public:
    explicit Chance(std::uint64_t seed) : m_state(seed ? seed : 0x9E3779B97F4A7C15ULL) {}
    std::uint64_t next();

  private:
    std::uint64_t m_state;
};

} // namespace himalaya::jobs
