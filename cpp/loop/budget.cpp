#include "loop/budget.hpp"

#include <cstring>
#include <ctime>

namespace himalaya::loop {

std::uint64_t thread_cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

namespace {

std::uint64_t wall_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

} // namespace

std::uint64_t Budget::spent() const {
    return m_current ? m_spent + (thread_cpu_ns() - m_since) : m_spent;
}

bool Budget::exhausted(std::uint64_t limit) const {
    if (m_spent >= limit)
        return true;
    if (!m_current || m_spent + (wall_ns() - m_wall_since) < limit)
        return false;
    return spent() >= limit;
}

void Budget::begin_turn() {
    if (m_current) {
        // A loop run inside one of our own slices: what was used so far belongs to the turn that ends.
        std::uint64_t now = thread_cpu_ns();
        m_spent += now - m_since;
        m_current->total_ns += now - m_since;
        m_since = now;
        m_wall_since = wall_ns();
    }
    ++m_turns;
    if (m_spent == 0)
        return;
    m_histogram.add(m_spent / 1000);
    if (m_spent > m_longest)
        m_longest = m_spent;
    if (m_spent > LIMIT_NS)
        ++m_over;
    m_spent = 0;
}

void Budget::reset_figures() {
    for (Room& room : m_rooms)
        room.total_ns = room.longest_ns = room.slices = 0;
    m_turns = m_over = m_longest = 0;
    m_histogram.clear();
}

Budget::Room* Budget::room(const char* name) {
    for (Room& room : m_rooms) {
        if (room.name == nullptr)
            room.name = name;
        if (room.name == name || std::strcmp(room.name, name) == 0)
            return &room;
    }
    return &m_rooms.back();
}

Slice::Slice(Budget& budget, const char* room)
    : m_budget(budget), m_room(budget.room(room)), m_outer(budget.m_current) {
    std::uint64_t now = thread_cpu_ns();
    if (m_outer) {
        budget.m_spent += now - budget.m_since;
        m_outer->total_ns += now - budget.m_since;
    }
    budget.m_current = m_room;
    budget.m_since = now;
    budget.m_wall_since = wall_ns();
    ++m_room->slices;
    m_start = now;
}

Slice::~Slice() {
    std::uint64_t now = thread_cpu_ns();
    m_budget.m_spent += now - m_budget.m_since;
    m_room->total_ns += now - m_budget.m_since;
    if (now - m_start > m_room->longest_ns)
        m_room->longest_ns = now - m_start;
    m_budget.m_current = m_outer;
    m_budget.m_since = now;
    m_budget.m_wall_since = wall_ns();
}

} // namespace himalaya::loop
