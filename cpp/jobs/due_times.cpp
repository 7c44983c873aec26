#include "jobs/due_times.hpp"

namespace himalaya::jobs {

void DueTimes::set(Slot slot, Time when) {
    if (slot >= m_where.size())
        m_where.resize(slot + 1, NOWHERE);
    std::size_t at = m_where[slot];
    if (at == NOWHERE) {
        at = m_heap.size();
        m_heap.push_back({when, slot});
        rise(at, {when, slot});
    } else if (when < m_heap[at].when) {
        rise(at, {when, slot});
    } else {
        sink(at, {when, slot});
    }
}

void DueTimes::clear(Slot slot) {
    if (slot >= m_where.size() || m_where[slot] == NOWHERE)
        return;
    std::size_t at = m_where[slot];
    m_where[slot] = NOWHERE;
    Entry last = m_heap.back();
    m_heap.pop_back();
    if (at == m_heap.size())
        return;
    if (at > 0 && last.when < m_heap[(at - 1) / 2].when)
        rise(at, last);
    else
        sink(at, last);
}

void DueTimes::put(std::size_t at, Entry entry) {
    m_heap[at] = entry;
    m_where[entry.slot] = static_cast<std::uint32_t>(at);
}

void DueTimes::rise(std::size_t at, Entry entry) {
    while (at > 0) {
        std::size_t parent = (at - 1) / 2;
        if (m_heap[parent].when <= entry.when)
            break;
        put(at, m_heap[parent]);
        at = parent;
    }
    put(at, entry);
}

void DueTimes::sink(std::size_t at, Entry entry) {
    for (;;) {
        std::size_t child = at * 2 + 1;
        if (child >= m_heap.size())
            break;
        if (child + 1 < m_heap.size() && m_heap[child + 1].when < m_heap[child].when)
            ++child;
        if (entry.when <= m_heap[child].when)
            break;
        put(at, m_heap[child]);
        at = child;
    }
    put(at, entry);
}

} // namespace himalaya::jobs
