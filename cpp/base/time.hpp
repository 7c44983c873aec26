// The two clocks and how times are written. Waits and ages use the monotonic one; what people or other
// processes see uses the wall.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace himalaya::time {

// Milliseconds and nanoseconds of a clock that never goes back; it stands still while the machine sleeps.
std::int64_t monotonic_ms();
std::int64_t monotonic_ns();
// Wall clock since the epoch.
std::int64_t now_ms();
std::int64_t now_s();

// 2026-02-03T04:05:06Z, and with milliseconds.
std::string iso(std::int64_t seconds);
std::string iso_ms(std::int64_t milliseconds);
// Reads what iso() and iso_ms() write, a "+01:00" too; seconds since the epoch.
std::optional<std::int64_t> from_iso(std::string_view text);

// Days since 1970-01-01 of a date of the Gregorian calendar.
std::int64_t days_from_civil(int year, unsigned month, unsigned day);

// "5 seconds", "1 minute", "3 hours", "2 days"; callers add "ago" or "remaining".
std::string span(std::int64_t seconds);

} // namespace himalaya::time
