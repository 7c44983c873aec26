#include "sync/progress.hpp"

#include <algorithm>

namespace himalaya::sync {

void Progress::begin(std::int64_t now_ms) {
    *this = Progress();
    m_started = now_ms;
}

void Progress::say(std::string operation, std::string folder) {
    m_operation = std::move(operation);
    m_folder = std::move(folder);
}

Standing Progress::standing(std::int64_t now_ms) {
    Standing standing{m_operation, m_folder, {}, m_done, std::max(m_total, m_done), {}};
    if (m_total > 0) {
        // 100 is for the end, which only the sync itself can say.
        m_percent = std::max(m_percent, static_cast<int>(std::min<std::int64_t>(99, m_done * 100 / m_total)));
        standing.percent = m_percent;
        auto spent = now_ms - m_started;
        if (spent >= ENOUGH_MS && m_done >= ENOUGH_MESSAGES && m_done < m_total)
            standing.eta_seconds = (spent * (m_total - m_done) / m_done + 999) / 1000;
    }
    return standing;
}

} // namespace himalaya::sync
