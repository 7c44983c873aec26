// Times counted by size: four buckets to each doubling from 1 microsecond to about an hour. A percentile is
// right to a quarter of its value, the whole is under 1 KiB, and adding one costs a shift and an increment.
#pragma once

#include "jobs/spec.hpp"

namespace himalaya::jobs {

class Histogram {
  public:
    void add(Time value);

    std::uint64_t count() const { return m_count; }
    Time max() const { return m_max; }
    Time mean() const { return m_count ? m_sum / static_cast<Time>(m_count) : 0; }
    // The upper edge of the bucket in which that share of all values lies at or below; never above max().
    Time percentile(double share) const;

    struct Bucket {
        Time up_to;
        std::uint64_t count;
    };
    static constexpr std::size_t BUCKETS = 128;
    Bucket bucket(std::size_t i) const { return {upper_edge(i), m_buckets[i]}; }

  private:
    static std::size_t bucket_of(Time value);
    static Time upper_edge(std::size_t bucket);

    std::array<std::uint64_t, BUCKETS> m_buckets{};
    std::uint64_t m_count = 0;
    Time m_sum = 0;
    Time m_max = 0;
};

} // namespace himalaya::jobs
