#include "sync/progress.hpp"

#include "base/json_in.hpp"
#include "base/json_out.hpp"

#include <algorithm>
#include <utility>

namespace himalaya::sync {

void Progress::begin(std::int64_t now_ms) {
    *this = Progress();
    m_messages.before = m_messages.last = {now_ms, 0};
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

void Progress::expect(const std::string& folder, std::int64_t messages, bool texts) {
    auto& before = m_expected[folder];
    Expected now{messages, texts ? messages : 0};
    m_messages.total += now.messages - before.messages;
    m_texts.total += now.texts - before.texts;
    m_promised = std::max<std::int64_t>(0, m_promised + now.texts - before.texts);
    before = now;
}

void Progress::expect_texts(std::int64_t texts) {
    auto known = std::min(m_promised, texts);
    m_promised -= known;
    m_texts.total += texts - known;
}

void Progress::Part::look(std::int64_t now_ms) {
    // Before its first one it has not begun: what it waited for is not its pace.
    if (last.ms < 0 || (done == 0 && before.done == 0))
        before = last = {now_ms, done};
    else if (now_ms - last.ms >= WINDOW_MS)
        before = std::exchange(last, {now_ms, done});
}

std::optional<std::int64_t> Progress::Part::milliseconds(std::int64_t now_ms) const {
    if (left() == 0)
        return 0;
    auto came = done - before.done;
    auto took = now_ms - before.ms;
    if (took < ENOUGH_MS || came < ENOUGH_MESSAGES)
        return std::nullopt;
    return took * left() / came;
}

Standing Progress::standing(std::int64_t now_ms) {
    m_messages.look(now_ms);
    m_texts.look(now_ms);
    // A message is done when all of it is here.
    auto messages = std::max(m_messages.all(), m_texts.all());
    auto left = std::max(m_messages.left(), m_texts.left());
    Standing standing{m_operation, m_folder, {}, messages - left, messages, {}};
    auto done = m_messages.done + TEXT_WEIGHT * m_texts.done;
    auto all = m_messages.all() + TEXT_WEIGHT * m_texts.all();
    if (m_messages.total + m_texts.total > 0) {
        // 100 is for the end, which only the sync itself can say.
        m_percent = std::max(m_percent, static_cast<int>(std::min<std::int64_t>(99, done * 100 / all)));
        standing.percent = m_percent;
        auto for_messages = m_messages.milliseconds(now_ms);
        auto for_texts = m_texts.milliseconds(now_ms);
        bool vague = m_vague && m_messages.left() > 0;
        if (done < all && for_messages && for_texts && !vague)
            standing.eta_seconds = (std::max(*for_messages, *for_texts) + 999) / 1000;
    }
    return standing;
}

} // namespace himalaya::sync
