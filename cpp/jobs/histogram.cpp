#include "jobs/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace himalaya::jobs {

void Histogram::add(Time value) {
    value = std::max<Time>(value, 0);
    ++m_buckets[bucket_of(value)];
    ++m_count;
    m_sum += value;
    m_max = std::max(m_max, value);
}

Time Histogram::percentile(double share) const {
    if (m_count == 0)
        return 0;
    auto wanted =
        static_cast<std::uint64_t>(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(m_count)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < BUCKETS; ++i) {
        seen += m_buckets[i];
        if (seen >= wanted && seen > 0)
            return std::min(upper_edge(i), m_max);
    }
    return m_max;
}

// Values 0..3 have a bucket each; from 4 on, the two bits below the highest choose among four.
std::size_t Histogram::bucket_of(Time value) {
    auto v = static_cast<std::uint64_t>(value);
    if (v < 4)
        return static_cast<std::size_t>(v);
    auto top = static_cast<std::size_t>(std::bit_width(v)) - 1;
    auto quarter = static_cast<std::size_t>(v >> (top - 2)) & 3;
    return std::min((top - 1) * 4 + quarter, BUCKETS - 1);
}

Time Histogram::upper_edge(std::size_t bucket) {
    if (bucket < 4)
        return static_cast<Time>(bucket);
    auto top = bucket / 4 + 1;
    auto quarter = bucket % 4;
    return static_cast<Time>(((5 + quarter) << (top - 2)) - 1);
}

} // namespace himalaya::jobs
