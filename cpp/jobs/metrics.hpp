// Everything counted about jobs, kept up to date as it happens so that reading it is O(1).
#pragma once

#include "base/histogram.hpp"
#include "jobs/spec.hpp"

namespace himalaya::jobs {

struct Metrics {
    std::array<std::uint64_t, LANES> queued{};  // now: waiting, behind a key, or for the next attempt
    std::array<std::uint64_t, LANES> running{}; // now, those being ended included
    std::uint64_t submitted = 0;
    std::uint64_t joined = 0;
    std::uint64_t retried = 0;
    std::array<std::uint64_t, ENDINGS> ended{};
    std::array<Histogram, LANES> waits;     // from submit to the first attempt
    std::array<Histogram, LANES> durations; // one attempt

    std::uint64_t count(Ending ending) const { return ended[static_cast<std::size_t>(ending)]; }
    std::uint64_t running_now() const { return running[0] + running[1] + running[2]; }
};

} // namespace himalaya::jobs
