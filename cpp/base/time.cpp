#include "base/time.hpp"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace himalaya::time {

namespace {

std::int64_t read(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::optional<int> number(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    if (at + digits > text.size())
        return std::nullopt;
    const char* begin = text.data() + at;
    auto [end, error] = std::from_chars(begin, begin + digits, value);
    if (error != std::errc() || end != begin + digits || value < 0)
        return std::nullopt;
    return value;
}

} // namespace

std::int64_t monotonic_ns() {
    return read(CLOCK_MONOTONIC);
}
std::int64_t monotonic_ms() {
    return monotonic_ns() / 1'000'000;
}
std::int64_t now_ms() {
    return read(CLOCK_REALTIME) / 1'000'000;
}
std::int64_t now_s() {
    return read(CLOCK_REALTIME) / 1'000'000'000;
}

std::string iso(std::int64_t seconds) {
    std::time_t when = static_cast<std::time_t>(seconds);
    std::tm parts{};
    gmtime_r(&when, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string iso_ms(std::int64_t milliseconds) {
    std::int64_t rest = ((milliseconds % 1000) + 1000) % 1000;
    std::string text = iso((milliseconds - rest) / 1000);
    text.pop_back();
    return fmt::format("{}.{:03}Z", text, rest);
}

std::optional<std::int64_t> from_iso(std::string_view text) {
    auto year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2);
    auto hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60)
        return std::nullopt;
    std::size_t at = 19;
    if (at < text.size() && text[at] == '.')
        for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        }
    std::int64_t offset = 0;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
        auto hours = number(text, at + 1, 2), minutes = number(text, at + 4, 2);
        if (!hours || !minutes || text[at + 3] != ':' || text.size() != at + 6)
            return std::nullopt;
        offset = (*hours * 60 + *minutes) * 60 * (text[at] == '-' ? -1 : 1);
    } else if (text.substr(at) != "Z" && !text.substr(at).empty()) {
        return std::nullopt;
    }
    std::int64_t days = days_from_civil(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day));
    return ((days * 24 + *hour) * 60 + *minute) * 60 + *second - offset;
}

// Howard Hinnant's algorithm: years begin in March, so the leap day comes last.
std::int64_t days_from_civil(int year, unsigned month, unsigned day) {
    std::int64_t y = month <= 2 ? year - 1 : year;
    std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    auto of_era = static_cast<unsigned>(y - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

std::string span(std::int64_t seconds) {
    auto say = [](std::int64_t n, const char* unit) {
        return fmt::format("{} {}{}", n, unit, n == 1 ? "" : "s");
    };
    if (seconds < 0)
        seconds = 0;
    if (seconds < 60)
        return say(seconds, "second");
    if (seconds < 3600)
        return say(seconds / 60, "minute");
    if (seconds < 86400)
        return say(seconds / 3600, "hour");
    return say(seconds / 86400, "day");
}

} // namespace himalaya::time
