#include "base/escape.hpp"

#include <algorithm>

namespace himalaya::text {

namespace {

constexpr char ESC = '\x1b';
constexpr std::string_view CSI = "\xc2\x9b"; // what ESC [ is, as one character
// A title or a link is no longer; what has not ended by then is text.
constexpr std::size_t LONGEST_STRING = 4096;

std::size_t run(std::string_view text, std::size_t at, char first, char last) {
    while (at < text.size() && text[at] >= first && text[at] <= last)
        ++at;
    return at;
}

// Parameters, intermediates and one final letter from `at` on; 0 where that is not what stands there.
std::size_t control_end(std::string_view text, std::size_t at) {
    at = run(text, run(text, at, '0', '?'), ' ', '/');
    return at < text.size() && text[at] >= '@' && text[at] <= '~' ? at + 1 : 0;
}

// Up to ESC \, or BEL where that ends it too; 0 where neither comes.
std::size_t string_end(std::string_view text, bool bell) {
    auto end = text.substr(0, LONGEST_STRING).find_first_of("\x1b\x07\r\n", 2);
    if (end == std::string_view::npos)
        return 0;
    if (text[end] == '\x07')
        return bell ? end + 1 : 0;
    return text.substr(end, 2) == "\x1b\\" ? end + 2 : 0;
}

} // namespace

std::size_t escape_length(std::string_view text) {
    if (text.starts_with(CSI))
        return std::max(control_end(text, CSI.size()), CSI.size());
    if (text.empty() || text.front() != ESC)
        return 0;
    std::size_t end = 0;
    char kind = text.size() > 1 ? text[1] : '\0';
    if (kind == '[')
        end = control_end(text, 2);
    else if (kind == ']')
        end = string_end(text, true);
    else if (std::string_view("P^_X").find(kind) != std::string_view::npos)
        end = string_end(text, false);
    if (end > 0)
        return end;
    end = run(text, 1, ' ', '/');
    return end < text.size() && text[end] >= '0' && text[end] <= '~' ? end + 1 : 1;
}

std::string without_escapes(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (auto length = escape_length(text)) {
            text.remove_prefix(length);
            continue;
        }
        auto plain = std::max<std::size_t>(1, std::min(text.find_first_of("\x1b\xc2"), text.size()));
        out += text.substr(0, plain);
        text.remove_prefix(plain);
    }
    return out;
}

} // namespace himalaya::text
