#include "base/text.hpp"

#include "base/escape.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace himalaya::text {

namespace {

// The character at the start of `text`: its length (0: broken, skip `broken` bytes) and code point.
struct Decoded {
    unsigned length;
    unsigned broken;
    char32_t code;
};

Decoded decode(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char first = byte(0);
    if (first < 0x80)
        return {1, 0, first};
    unsigned length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4)
        return {0, 1, 0};
    char32_t code = first & (0x7f >> length);
    for (unsigned i = 1; i < length; ++i) {
        if (i >= text.size())
            return {0, i, 0};
        unsigned char next = byte(i);
        unsigned char low = 0x80, high = 0xbf;
        if (i == 1) {
            if (first == 0xe0)
                low = 0xa0; // overlong
            if (first == 0xed)
                high = 0x9f; // surrogates
            if (first == 0xf0)
                low = 0x90;
            if (first == 0xf4)
                high = 0x8f;
        }
        if (next < low || next > high)
            return {0, i, 0};
        code = (code << 6) | (next & 0x3f);
    }
    return {length, 0, code};
}

constexpr std::string_view REPLACEMENT = "\xef\xbf\xbd";

bool turns_direction(char32_t code) {
    return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

std::string clean(std::string_view text, bool lines) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (text.front() == '\x1b' || text.front() == '\xc2') {
            if (auto escape = escape_length(text)) {
                text.remove_prefix(escape);
                continue;
            }
        }
        Decoded at = decode(text);
        if (at.length == 0) {
            out += REPLACEMENT;
            text.remove_prefix(at.broken);
            continue;
        }
        std::string_view character = text.substr(0, at.length);
        text.remove_prefix(at.length);
        if (at.code == '\r' && !text.empty() && text.front() == '\n')
            continue;
        bool breaks =
            at.code == '\n' || at.code == '\r' || at.code == 0x85 || at.code == 0x2028 || at.code == 0x2029;
        if (breaks)
            out += lines ? '\n' : ' ';
        else if (at.code == '\t')
            out += lines ? '\t' : ' ';
        else if (at.code < 0x20 || (at.code >= 0x7f && at.code < 0xa0) || turns_direction(at.code) ||
                 at.code == 0xfeff)
            continue;
        else
            out += character;
    }
    return out;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr std::string_view BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

} // namespace

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        Decoded at = decode(text);
        if (at.length == 0)
            return false;
        text.remove_prefix(at.length);
    }
    return true;
}

std::string to_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        Decoded at = decode(text);
        out += at.length ? text.substr(0, at.length) : REPLACEMENT;
        text.remove_prefix(at.length ? at.length : at.broken);
    }
    return out;
}

std::string clean_line(std::string_view text) {
    // Most headers are plain: a first sync cleans some hundred thousand of them.
    if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; }))
        return std::string(text);
    return clean(text, false);
}
std::string clean_text(std::string_view text) {
    return clean(text, true);
}

std::string_view cut(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes)
        return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80)
        --bytes;
    return text.substr(0, bytes);
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = lower(c);
    return out;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return out;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && compare_ignoring_case(a, b) == 0;
}

bool starts_ignoring_case(std::string_view text, std::string_view start) {
    return text.size() >= start.size() && same_ignoring_case(text.substr(0, start.size()), start);
}

int compare_ignoring_case(std::string_view a, std::string_view b) {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        auto x = static_cast<unsigned char>(lower(a[i]));
        auto y = static_cast<unsigned char>(lower(b[i]));
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

std::string_view trim(std::string_view text) {
    auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos)
            return parts;
        text.remove_prefix(at + 1);
    }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string out;
    for (const std::string& part : parts) {
        if (&part != &parts.front())
            out += separator;
        out += part;
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (char c : text) {
        char small = lower(c);
        if ((small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
            c == '~') {
            out += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
            return std::nullopt;
        out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
    }
    return out;
}

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        auto byte = [&](std::size_t k) {
            return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0u;
        };
        std::uint32_t three = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
        out += BASE64[three >> 18];
        out += BASE64[(three >> 12) & 63];
        out += i + 1 < bytes.size() ? BASE64[(three >> 6) & 63] : '=';
        out += i + 2 < bytes.size() ? BASE64[three & 63] : '=';
    }
    return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
    static constexpr auto VALUES = [] {
        std::array<signed char, 256> values{};
        values.fill(-1);
        for (std::size_t i = 0; i < BASE64.size(); ++i)
            values[static_cast<unsigned char>(BASE64[i])] = static_cast<signed char>(i);
        return values;
    }();
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    unsigned count = 0, padding = 0;
    for (char c : text) {
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        int value = VALUES[static_cast<unsigned char>(c)];
        if (value < 0 || padding)
            return std::nullopt;
        bits = (bits << 6) | static_cast<unsigned>(value);
        if (++count % 4 == 0) {
            out += static_cast<char>(bits >> 16);
            out += static_cast<char>(bits >> 8);
            out += static_cast<char>(bits);
            bits = 0;
        }
    }
    if (padding > 2 || count % 4 == 1 || (padding && (count + padding) % 4 != 0))
        return std::nullopt;
    if (count % 4 == 2)
        out += static_cast<char>(bits >> 4);
    if (count % 4 == 3) {
        out += static_cast<char>(bits >> 10);
        out += static_cast<char>(bits >> 2);
    }
    return out;
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

std::optional<std::uint64_t> to_unsigned(std::string_view digits) {
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty())
        return std::nullopt;
    return value;
}

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t i = 0; i < row.size(); ++i)
        row[i] = i;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t k = 0; k < b.size(); ++k) {
            std::size_t above = row[k + 1];
            row[k + 1] = std::min({above + 1, row[k] + 1, diagonal + (a[i] == b[k] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

} // namespace himalaya::text
