#include "sync/line_breakers.hpp"

#include <algorithm>
#include <array>

namespace himalaya::sync {

namespace {

// By how often the connection was lost before.
constexpr std::array<std::size_t, 3> TOGETHER = {50, 7, 1};
constexpr std::array<std::int64_t, 4> WAITS = {0, 60, 300, 900};

template<class Row>
auto at(const Row& row, int times) {
    return row[std::min(static_cast<std::size_t>(std::max(times, 1)), row.size()) - 1];
}

} // namespace

std::set<store::Id> LineBreakers::more_often(int times) const {
    std::set<store::Id> ids;
    for (const auto& [id, lost] : m_times)
        if (lost > times)
            ids.insert(id);
    return ids;
}

std::map<store::Id, std::size_t> LineBreakers::limits() const {
    std::map<store::Id, std::size_t> limits;
    for (const auto& [id, times] : m_times)
        limits[id] = at(TOGETHER, times);
    return limits;
}

bool LineBreakers::is_told() const {
    return std::any_of(m_times.begin(), m_times.end(), [](const auto& one) { return one.second > 2; });
}

std::int64_t LineBreakers::wait(int times) {
    return at(WAITS, times);
}

} // namespace himalaya::sync
