#include "mail/date.hpp"

#include "base/text.hpp"
#include "base/time.hpp"

#include <array>
#include <string>
#include <vector>

namespace himalaya::mail {

namespace {

constexpr std::array<std::string_view, 12> MONTHS = {"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};

struct Zone {
    std::string_view name;
    int hours;
};
constexpr std::array<Zone, 8> ZONES = {
    {{"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}}};

std::optional<std::int64_t> number(std::string_view digits) {
    auto value = text::to_unsigned(digits);
    return value && *value < 100'000 ? std::optional<std::int64_t>(static_cast<std::int64_t>(*value))
                                     : std::nullopt;
}

// Words of the header: comments are left out, commas are blanks.
std::vector<std::string> words(std::string_view header) {
    std::vector<std::string> words(1);
    int comment = 0;
    for (char c : header) {
        if (c == '(')
            ++comment;
        else if (c == ')')
            comment = comment > 0 ? comment - 1 : 0;
        else if (comment > 0)
            continue;
        else if (c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n') {
            if (!words.back().empty())
                words.emplace_back();
        } else
            words.back() += text::lower(c);
    }
    if (words.back().empty())
        words.pop_back();
    return words;
}

std::optional<std::int64_t> month_of(std::string_view word) {
    for (std::size_t i = 0; i < MONTHS.size(); ++i)
        if (word.substr(0, 3) == MONTHS[i])
            return static_cast<std::int64_t>(i) + 1;
    return std::nullopt;
}

// "10:20:30" or "10:20" as seconds.
std::optional<std::int64_t> clock_of(std::string_view word) {
    auto parts = text::split(word, ':');
    if (parts.size() < 2 || parts.size() > 3)
        return std::nullopt;
    auto hours = number(parts[0]);
    auto minutes = number(parts[1]);
    auto seconds = parts.size() == 3 ? number(parts[2].substr(0, 2)) : std::optional<std::int64_t>(0);
    if (!hours || !minutes || !seconds || *hours > 24 || *minutes > 59 || *seconds > 60)
        return std::nullopt;
    return *hours * 3600 + *minutes * 60 + *seconds;
}

// East of Greenwich, in seconds; nothing known is Greenwich.
std::int64_t zone_of(std::string_view word) {
    if (word.size() == 5 && (word[0] == '+' || word[0] == '-')) {
        auto value = number(word.substr(1));
        if (value && *value / 100 < 24) {
            auto seconds = (*value / 100) * 3600 + (*value % 100) * 60;
            return word[0] == '-' ? -seconds : seconds;
        }
    }
    for (const auto& zone : ZONES)
        if (word == zone.name)
            return zone.hours * 3600;
    return 0;
}

} // namespace

std::optional<std::int64_t> parse_date(std::string_view header) {
    auto all = words(header);
    std::size_t at = 0;
    if (at < all.size() && !number(all[at])) // the day's name
        ++at;
    // Also "Mon Jan 2 15:04:05 2006", as C's asctime writes it.
    std::optional<std::int64_t> day, month, year, clock;
    if (at + 3 < all.size() && month_of(all[at])) {
        month = month_of(all[at]);
        day = number(all[at + 1]);
        clock = clock_of(all[at + 2]);
        year = number(all[at + 3]);
        at += 4;
    } else if (at + 3 < all.size()) {
        day = number(all[at]);
        month = month_of(all[at + 1]);
        year = number(all[at + 2]);
        clock = clock_of(all[at + 3]);
        at += 4;
    }
    if (!day || !month || !year || !clock || *day < 1 || *day > 31)
        return std::nullopt;
    if (*year < 50)
        *year += 2000;
    else if (*year < 1000)
        *year += 1900;
    auto days = time::days_from_civil(static_cast<int>(*year), static_cast<unsigned>(*month),
                                      static_cast<unsigned>(*day));
    return days * 86'400 + *clock - (at < all.size() ? zone_of(all[at]) : 0);
}

} // namespace himalaya::mail
