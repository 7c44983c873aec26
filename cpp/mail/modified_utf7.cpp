#include "mail/modified_utf7.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include "base/text.hpp"
#include "mail/utf8.hpp"

namespace himalaya::mail {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

constexpr auto values = [] {
    std::array<int8_t, 256> table{};
    for (int8_t& value : table)
        value = -1;
    for (size_t i = 0; i < alphabet.size(); i++)
        table[static_cast<unsigned char>(alphabet[i])] = int8_t(i);
    return table;
}();

bool is_printable(char32_t c) {
    return c >= 0x20 && c <= 0x7e;
}

void append_base64(std::string& out, const std::vector<uint16_t>& units) {
    uint32_t bits = 0;
    int count = 0;
    out += '&';
    for (const uint16_t unit : units) {
        bits = bits << 16 | unit;
        count += 16;
        while (count >= 6) {
            count -= 6;
            out += alphabet[bits >> count & 63];
        }
        bits &= (1u << count) - 1;
    }
    if (count > 0)
        out += alphabet[bits << (6 - count) & 63];
    out += '-';
}

// The characters between `&` and `-`; false when they are no UTF-16.
bool decode_base64(std::string_view coded, std::string& out) {
    uint32_t bits = 0;
    int count = 0;
    char32_t high = 0;
    for (const char c : coded) {
        const int value = values[static_cast<unsigned char>(c)];
        if (value < 0)
            return false;
        bits = bits << 6 | uint32_t(value);
        count += 6;
        if (count < 16)
            continue;
        count -= 16;
        const char32_t unit = bits >> count & 0xffff;
        bits &= (1u << count) - 1;
        const bool is_high = unit >= 0xd800 && unit < 0xdc00;
        const bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (is_low != (high != 0))
            return false;
        if (is_low)
            append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
        else if (!is_high)
            append_utf8(out, unit);
        high = is_high ? unit : 0;
    }
    return high == 0 && bits == 0 && count < 6;
}

} // namespace

std::string encode_modified_utf7(std::string_view utf8) {
    std::string out;
    std::vector<uint16_t> units;
    const auto flush = [&] {
        if (!units.empty())
            append_base64(out, units);
        units.clear();
    };
    while (!utf8.empty()) {
        const char32_t c = next_utf8(utf8);
        if (is_printable(c)) {
            flush();
            out += char(c);
            if (c == '&')
                out += '-';
        } else if (c >= 0x10000) {
            units.push_back(uint16_t(0xd800 + ((c - 0x10000) >> 10)));
            units.push_back(uint16_t(0xdc00 + ((c - 0x10000) & 0x3ff)));
        } else {
            units.push_back(uint16_t(c));
        }
    }
    flush();
    return out;
}

std::string show_folder_name(std::string_view wire) {
    std::string out;
    for (size_t i = 0; i < wire.size();) {
        if (wire[i] != '&') {
            out += wire[i++];
            continue;
        }
        // A `-` far away is not sought for each of many `&`: base64 ends at the first other character.
        size_t end = i + 1;
        while (end < wire.size() && values[static_cast<unsigned char>(wire[end])] >= 0)
            end++;
        const bool closed = end < wire.size() && wire[end] == '-';
        std::string decoded;
        if (closed && end == i + 1) {
            out += '&';
            i = end + 1;
        } else if (closed && decode_base64(wire.substr(i + 1, end - i - 1), decoded)) {
            out += decoded;
            i = end + 1;
        } else {
            out += wire.substr(i, end - i);
            i = end;
        }
    }
    return text::to_utf8(out);
}

std::optional<std::string> decode_modified_utf7(std::string_view wire) {
    std::string shown = show_folder_name(wire);
    if (encode_modified_utf7(shown) != wire)
        return std::nullopt;
    return shown;
}

} // namespace himalaya::mail
