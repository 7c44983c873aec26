#include "mail/utf8.hpp"

#include <cstddef>

namespace himalaya::mail {

char32_t next_utf8(std::string_view& text) {
    constexpr char32_t broken = 0xfffd;
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    size_t length = 1;
    char32_t c = lead;
    if (lead >= 0x80) {
        length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        c = lead & (0xffu >> (length + 1));
        bool good = lead >= 0xc2 && lead <= 0xf4 && text.size() >= length;
        for (size_t i = 1; good && i < length; i++) {
            good = (byte(i) & 0xc0) == 0x80;
            c = c << 6 | (byte(i) & 0x3f);
        }
        if (!good || c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
            text.remove_prefix(1);
            return broken;
        }
    }
    text.remove_prefix(length);
    return c;
}

void append_utf8(std::string& out, char32_t c) {
    if (c < 0x80) {
        out += char(c);
    } else if (c < 0x800) {
        out += char(0xc0 | c >> 6);
        out += char(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        out += char(0xe0 | c >> 12);
        out += char(0x80 | (c >> 6 & 0x3f));
        out += char(0x80 | (c & 0x3f));
    } else {
        out += char(0xf0 | c >> 18);
        out += char(0x80 | (c >> 12 & 0x3f));
        out += char(0x80 | (c >> 6 & 0x3f));
        out += char(0x80 | (c & 0x3f));
    }
}

} // namespace himalaya::mail
