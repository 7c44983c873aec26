// What happened, for :HimalayaLog and bug reports: the last 2,000 lines in memory and a file that a thread of
// its own writes. Never prints, never blocks the caller (a line costs one lock and a copy), never fails.
// Callable from every thread. Who logs names its room; secrets must be blotted out before they come here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace himalaya::log {

enum class Level { trace, debug, info, warn, error };

std::string_view name_of(Level level);

struct Line {
    std::int64_t time_ms; // since the epoch
    Level level;
    std::string room;
    std::string text; // cleaned of control characters, at most 4 KiB
};

// Lines below it are dropped before they are formatted. Default info.
void set_level(Level level);
bool enabled(Level level);

// Lines go to this file too (made with mode 0600, begun anew beyond 4 MiB: the old one becomes FILE.old).
void open_file(std::string path);
// Writes what is left and joins the thread; waits at most for one write.
void close_file();

void add(Level level, std::string_view room, std::string_view text);
// The newest lines, oldest first.
std::vector<Line> recent(std::size_t most = 2000);

template<class... Args>
void write(Level level, std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level))
        add(level, room, fmt::format(format, std::forward<Args>(args)...));
}
template<class... Args>
void debug(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
    write(Level::debug, room, format, std::forward<Args>(args)...);
}
template<class... Args>
void info(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
    write(Level::info, room, format, std::forward<Args>(args)...);
}
template<class... Args>
void warn(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
    write(Level::warn, room, format, std::forward<Args>(args)...);
}
template<class... Args>
void error(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
    write(Level::error, room, format, std::forward<Args>(args)...);
}

} // namespace himalaya::log
