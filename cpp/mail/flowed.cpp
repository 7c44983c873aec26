#include "mail/flowed.hpp"

namespace himalaya::mail {

namespace {

struct Line {
    std::size_t quotes = 0;
    std::string_view text;
    bool soft = false; // the next line goes on where this one ends
};

Line read(std::string_view line) {
    Line result;
    while (result.quotes < line.size() && line[result.quotes] == '>')
        ++result.quotes;
    result.text = line.substr(result.quotes);
    if (!result.text.empty() && result.text.front() == ' ') // space-stuffing
        result.text.remove_prefix(1);
    // "-- " is the signature's mark and never flows.
    result.soft = !result.text.empty() && result.text.back() == ' ' && result.text != "-- ";
    return result;
}

} // namespace

std::string plain_lines(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '\r') {
            if (i + 1 >= text.size() || text[i + 1] != '\n')
                result += '\n';
        } else if (c != '\0') {
            result += c;
        }
    }
    return result;
}

std::string unflowed(std::string_view text, bool delete_space) {
    std::string result;
    bool open = false; // the last line was soft
    std::size_t open_quotes = 0;
    while (!text.empty()) {
        auto end = text.find('\n');
        auto line = read(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        bool goes_on = open && line.quotes == open_quotes && line.text != "-- ";
        if (!goes_on) {
            if (open)
                result += '\n';
            result.append(line.quotes, '>');
            if (line.quotes > 0)
                result += ' ';
        }
        auto content = line.text;
        if (line.soft && delete_space)
            content.remove_suffix(1);
        result += content;
        open = line.soft;
        open_quotes = line.quotes;
        if (!open)
            result += '\n';
    }
    if (open)
        result += '\n';
    return result;
}

} // namespace himalaya::mail
