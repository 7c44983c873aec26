#include "sync/progress.hpp"

#include "base/json_in.hpp"
#include "base/json_out.hpp"

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

std::string to_json(const Standing& standing) {
    json::Writer out;
    out.begin_object().member("operation", standing.operation).member("folder", standing.folder);
    out.member("done", standing.done).member("total", standing.total);
    if (standing.percent)
        out.member("percent", *standing.percent);
    if (standing.eta_seconds)
        out.member("eta_seconds", *standing.eta_seconds);
    out.end_object();
    return std::move(out).str();
}

Standing standing_of(std::string_view text) {
    Standing standing;
    auto document = json::Document::parse(text);
    if (!document)
        return standing;
    auto root = document->root();
    standing.operation = root["operation"].string().value_or("");
    standing.folder = root["folder"].string().value_or("");
    standing.done = root["done"].integer().value_or(0);
    standing.total = root["total"].integer().value_or(0);
    if (auto percent = root["percent"].integer())
        standing.percent = static_cast<int>(std::clamp<std::int64_t>(*percent, 0, 99));
    standing.eta_seconds = root["eta_seconds"].integer();
    return standing;
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
