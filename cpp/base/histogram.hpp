// Counts by size, for waits and durations: 16 buckets per doubling, so a percentile is right within 5 %, in 8
// KiB whatever is counted. Cheap enough for every job.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace himalaya {

class Histogram {
  public:
    void add(std::uint64_t value) {
        ++m_counts[bucket(value)];
        ++m_count;
        m_sum += value;
        if (value > m_max)
            m_max = value;
    }

    void add(const Histogram& other) {
        for (std::size_t i = 0; i < m_counts.size(); ++i)
            m_counts[i] += other.m_counts[i];
        m_count += other.m_count;
        m_sum += other.m_sum;
        m_max = m_max < other.m_max ? other.m_max : m_max;
    }

    std::uint64_t count() const { return m_count; }
    std::uint64_t sum() const { return m_sum; }
    std::uint64_t max() const { return m_max; }
    double mean() const { return m_count ? static_cast<double>(m_sum) / static_cast<double>(m_count) : 0; }

    // The value below which `share` (0.5, 0.99) of what was added lies; never above max().
    std::uint64_t percentile(double share) const {
        if (m_count == 0)
            return 0;
        auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(m_count) + 0.5);
        if (wanted < 1)
            wanted = 1;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < m_counts.size(); ++i) {
            seen += m_counts[i];
            if (seen >= wanted)
                return upper(i) < m_max ? upper(i) : m_max;
        }
        return m_max;
    }
    std::uint64_t p50() const { return percentile(0.5); }
    std::uint64_t p99() const { return percentile(0.99); }

    void clear() { *this = Histogram(); }

  private:
    static constexpr unsigned STEPS = 16; // per doubling
    static constexpr std::size_t BUCKETS = STEPS * 61;

    static std::size_t bucket(std::uint64_t value) {
        if (value < STEPS)
            return value;
        auto shift = static_cast<unsigned>(std::bit_width(value)) - 5;
        return STEPS * (shift + 1) + ((value >> shift) & (STEPS - 1));
    }
    // The largest value that falls into a bucket.
    static std::uint64_t upper(std::size_t index) {
        if (index < STEPS)
            return index;
        std::uint64_t shift = index / STEPS - 1;
        return ((STEPS + index % STEPS + 1) << shift) - 1;
    }

    std::array<std::uint64_t, BUCKETS> m_counts{};
    std::uint64_t m_count = 0;
    std::uint64_t m_sum = 0;
    std::uint64_t m_max = 0;
};

} // namespace himalaya
