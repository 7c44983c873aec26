// Which job is due next, and when. A binary heap that knows where each job stands in it, so that a job's
// entry can be moved or taken out in O(log n): ten thousand jobs with a timeout of five minutes that all end
// at once leave nothing.
#pragma once

#include "jobs/spec.hpp"

#include <vector>

namespace himalaya::jobs {

class DueTimes {
  public:
    using Slot = std::uint32_t;

    // Sets or changes when a slot is due.
    void set(Slot slot, Time when);
    void clear(Slot slot);

    bool empty() const { return m_heap.empty(); }
    std::size_t size() const { return m_heap.size(); }
    Time next_time() const { return m_heap.front().when; }
    Slot next_slot() const { return m_heap.front().slot; }

  private:
    struct Entry {
        Time when;
        Slot slot;
    };
    static constexpr std::uint32_t NOWHERE = UINT32_MAX;

    void put(std::size_t at, Entry entry);
    void rise(std::size_t at, Entry entry);
    void sink(std::size_t at, Entry entry);

    std::vector<Entry> m_heap;
    std::vector<std::uint32_t> m_where; // by slot
};

} // namespace himalaya::jobs
