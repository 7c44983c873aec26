#include "loop/budget.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/time.hpp"

namespace himalaya::loop {

std::uint64_t thread_cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

namespace {

std::uint64_t wall_ns() {
    return static_cast<std::uint64_t>(time::monotonic_ns());
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

void Budget::switch_to(Room* room, std::uint64_t now) {
    if (m_current) {
        m_spent += now - m_since;
        m_current->total_ns += now - m_since;
        m_current->turn_ns += now - m_since;
        if (m_current->name == THEIRS)
            m_theirs += now - m_since;
    }
    m_current = room;
    m_since = now;
    m_wall_since = wall_ns();
}

void Budget::begin_turn() {
    // A loop run inside one of our own slices: what was used so far belongs to the turn that ends.
    if (m_current)
        switch_to(m_current, thread_cpu_ns());
    ++m_turns;
    if (m_spent == 0)
        return;
    std::uint64_t ours = m_spent - (m_theirs - m_theirs_before);
    m_histogram.add(ours / 1000);
    if (ours > LIMIT_NS)
        ++m_over;
    if (ours > m_longest.ns) {
        m_longest = {ours, nullptr, std::move(m_noted.what), m_noted.what_ns};
        std::uint64_t most = 0;
        for (const Room& room : m_rooms) {
            if (room.turn_ns > most && room.name != THEIRS) {
                most = room.turn_ns;
                m_longest.room = room.name;
            }
        }
    }
    for (Room& room : m_rooms)
        room.turn_ns = 0;
    m_spent = 0;
    m_theirs_before = m_theirs;
    if (m_noted.what_ns > 0)
        m_noted = {};
}

void Budget::reset_figures() {
    for (Room& room : m_rooms)
        room.total_ns = room.longest_ns = room.slices = 0;
    m_turns = m_over = 0;
    m_longest = {};
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

Budget::Place Budget::here() const {
    return m_current ? Place{m_current, thread_cpu_ns()} : Place{};
}

Budget::Place Budget::leave() {
    Place place = here();
    if (place.room) {
        switch_to(room(THEIRS), place.since);
        ++m_current->slices;
    }
    return place;
}

void Budget::back(Place place) {
    if (!place.room)
        return;
    std::uint64_t now = thread_cpu_ns();
    if (m_current->name == THEIRS && place.since != 0)
        m_current->longest_ns = std::max(m_current->longest_ns, now - place.since);
    switch_to(place.room, now);
}

void Budget::was_theirs(std::int64_t since) {
    if (!m_current || m_current->name == THEIRS)
        return;
    Room* ours = m_current;
    std::uint64_t now = thread_cpu_ns();
    // Before it we can have worked for no longer than the clock on the wall says.
    auto began = static_cast<std::uint64_t>(since);
    std::uint64_t before = began > m_wall_since ? began - m_wall_since : 0;
    std::uint64_t at = std::min(now, m_since + before);
    switch_to(room(THEIRS), at);
    ++m_current->slices;
    m_current->longest_ns = std::max(m_current->longest_ns, now - at);
    switch_to(ours, now);
}

void Budget::note(std::string what, std::uint64_t ns) {
    // Who calls another works a little longer than that one, which says more.
    if (ns > m_noted.what_ns + m_noted.what_ns / 4) {
        m_noted.what = std::move(what);
        m_noted.what_ns = ns;
    }
}

Slice::Slice(Budget& budget, const char* room)
    : m_budget(budget), m_room(budget.room(room)), m_outer(budget.m_current), m_start(thread_cpu_ns()) {
    budget.switch_to(m_room, m_start);
    ++m_room->slices;
    m_theirs = budget.m_theirs;
}

Slice::~Slice() {
    std::uint64_t now = thread_cpu_ns();
    m_budget.switch_to(m_outer, now);
    m_room->longest_ns = std::max(m_room->longest_ns, now - m_start - (m_budget.m_theirs - m_theirs));
}

} // namespace himalaya::loop
