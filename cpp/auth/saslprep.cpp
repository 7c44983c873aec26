#include "auth/saslprep.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>
#include <openssl/crypto.h>

namespace himalaya::auth {

namespace {

struct Range {
    char32_t first, last;
};

template<std::size_t N>
bool in(const std::array<Range, N>& ranges, char32_t c) {
    return std::any_of(ranges.begin(), ranges.end(), [c](Range r) { return c >= r.first && c <= r.last; });
}

// RFC 3454 B.1: commonly mapped to nothing.
constexpr std::array<Range, 8> NOTHING = {{{0xad, 0xad},
                                           {0x34f, 0x34f},
                                           {0x1806, 0x1806},
                                           {0x180b, 0x180d},
                                           {0x200c, 0x200d},
                                           {0x2060, 0x2060},
                                           {0xfe00, 0xfe0f},
                                           {0xfeff, 0xfeff}}};
// C.1.2: spaces other than ASCII's. 200B is in both lists; it is a space here, as RFC 4013 maps spaces first.
constexpr std::array<Range, 6> SPACES = {
    {{0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200b}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}}};
// C.2 controls, C.3 private use, C.4 no characters, C.5 surrogates, C.6 to C.9.
constexpr std::array<Range, 23> FORBIDDEN = {
    {{0x0, 0x1f},        {0x7f, 0x9f},       {0x340, 0x341},      {0x6dd, 0x6dd},     {0x70f, 0x70f},
     {0x180e, 0x180e},   {0x200c, 0x200f},   {0x2028, 0x202e},    {0x2060, 0x2063},   {0x206a, 0x206f},
     {0x2ff0, 0x2ffb},   {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},    {0xfeff, 0xfeff},   {0xfff9, 0xffff},
     {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff},  {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
     {0xefffe, 0xeffff}, {0xf0000, 0xfffff}, {0x100000, 0x10ffff}}};
// D.1: Hebrew, Arabic, Syriac, Thaana, their presentation forms and the right-to-left mark.
constexpr std::array<Range, 24> RIGHT_TO_LEFT = {
    {{0x5be, 0x5be},   {0x5c0, 0x5c0},   {0x5c3, 0x5c3},   {0x5d0, 0x5ea},  {0x5f0, 0x5f4},
     {0x61b, 0x61b},   {0x61f, 0x61f},   {0x621, 0x63a},   {0x640, 0x64a},  {0x66d, 0x66f},
     {0x671, 0x6d5},   {0x6dd, 0x6dd},   {0x6e5, 0x6e6},   {0x6fa, 0x6fe},  {0x700, 0x70d},
     {0x710, 0x710},   {0x712, 0x72c},   {0x780, 0x7a5},   {0x7b1, 0x7b1},  {0x200f, 0x200f},
     {0xfb1d, 0xfb1d}, {0xfb1f, 0xfb28}, {0xfb2a, 0xfdfc}, {0xfe70, 0xfefc}}};

// D.2 comes down to letters; those of the scripts below are enough to notice a mix.
bool left_to_right(char32_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == 0xaa || c == 0xb5 || c == 0xba ||
           (c >= 0xc0 && c <= 0x2b8 && c != 0xd7 && c != 0xf7) || (c >= 0x370 && c <= 0x58a && c != 0x37e) ||
           (c >= 0x903 && c <= 0x1fff) || (c >= 0x3041 && c <= 0xd7a3) || (c >= 0xff21 && c <= 0xff3a) ||
           (c >= 0xff41 && c <= 0xff5a) || (c >= 0xff66 && c <= 0xffdc);
}

bool decode(std::string_view text, std::u32string& points) {
    points.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        auto lead = static_cast<unsigned char>(text[i++]);
        int more = lead < 0x80                   ? 0
                   : lead >= 0xc2 && lead < 0xe0 ? 1
                   : lead >= 0xe0 && lead < 0xf0 ? 2
                   : lead >= 0xf0 && lead < 0xf5 ? 3
                                                 : -1;
        if (more < 0 || text.size() - i < static_cast<std::size_t>(more))
            return false;
        char32_t point = more == 0 ? lead : lead & (0x3f >> more);
        for (int j = 0; j < more; ++j) {
            auto next = static_cast<unsigned char>(text[i++]);
            if ((next & 0xc0) != 0x80)
                return false;
            point = point << 6 | (next & 0x3f);
        }
        if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000) || point > 0x10ffff)
            return false;
        points += point;
    }
    return true;
}

void encode(char32_t c, Secret& out) {
    if (c < 0x80) {
        out.append(static_cast<char>(c));
    } else if (c < 0x800) {
        out.append(static_cast<char>(0xc0 | c >> 6)).append(static_cast<char>(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        out.append(static_cast<char>(0xe0 | c >> 12)).append(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
        out.append(static_cast<char>(0x80 | (c & 0x3f)));
    } else {
        out.append(static_cast<char>(0xf0 | c >> 18)).append(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
        out.append(static_cast<char>(0x80 | (c >> 6 & 0x3f))).append(static_cast<char>(0x80 | (c & 0x3f)));
    }
}

Error forbidden(std::string_view what, std::string_view why) {
    return make_error(Code::config, fmt::format("The {} {}.", what, why),
                      "Set it anew without that character.");
}

// Code points of a secret are as secret as its bytes.
struct Points {
    std::u32string text;
    ~Points() { OPENSSL_cleanse(text.data(), text.size() * sizeof(char32_t)); }
};

} // namespace

Result<Secret> saslprep(std::string_view text, std::string_view what) {
    if (std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 32 && c < 127; }))
        return Secret(text);
    Points points;
    if (!decode(text, points.text))
        return forbidden(what, "is not UTF-8");
    std::erase_if(points.text, [](char32_t c) { return in(NOTHING, c); });
    for (char32_t& c : points.text)
        if (in(SPACES, c))
            c = ' ';
    nfkc(points.text);
    bool right = false, left = false;
    for (char32_t c : points.text) {
        if (in(FORBIDDEN, c))
            return forbidden(what, "has a control or private character in it");
        right |= in(RIGHT_TO_LEFT, c);
        left |= left_to_right(c);
    }
    if (right && (left || !in(RIGHT_TO_LEFT, points.text.front()) || !in(RIGHT_TO_LEFT, points.text.back())))
        return forbidden(what, "mixes writing from the left and from the right");
    Secret result;
    for (char32_t c : points.text)
        encode(c, result);
    return result;
}

} // namespace himalaya::auth
