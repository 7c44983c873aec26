// NFKC for passwords. The table holds the scripts people type passwords in, 1,300 code points out of the
// 5,100 that Unicode 3.2 decomposes; Hangul is computed. Text of other blocks stays as it was typed, which is
// what most servers do with all text. A scan of the table per character is 2 us, and passwords are short.
#include <algorithm>
#include <array>
#include <cstdint>

#include "auth/saslprep.hpp"

namespace himalaya::auth {

namespace {

constexpr std::uint16_t TABLE[] = {
#include "auth/nfkc_table.inc"
};
constexpr std::uint16_t COMPOSES = 0x100;

constexpr char32_t HANGUL = 0xac00, LEAD = 0x1100, VOWEL = 0x1161, TAIL = 0x11a7;
constexpr char32_t LEADS = 19, VOWELS = 21, TAILS = 28, SYLLABLES = LEADS * VOWELS * TAILS;

// Canonical combining classes; every mark from 0300 to 036F that is not listed is above its letter (230).
int combining_class(char32_t c) {
    if (c == 0x3099 || c == 0x309a)
        return 8;
    if (c >= 0x483 && c <= 0x486)
        return 230;
    if (c < 0x300 || c > 0x36f || (c > 0x34e && c < 0x360))
        return 0;
    if (c == 0x345)
        return 240;
    if (c == 0x315 || c == 0x31a)
        return 232;
    if (c == 0x31b)
        return 216;
    if (c == 0x321 || c == 0x322 || c == 0x327 || c == 0x328)
        return 202;
    if (c >= 0x334 && c <= 0x338)
        return 1;
    if ((c >= 0x316 && c <= 0x319) || (c >= 0x31c && c <= 0x333) || (c >= 0x339 && c <= 0x33c) ||
        (c >= 0x347 && c <= 0x349) || c == 0x34d || c == 0x34e)
        return 220;
    if (c == 0x360 || c == 0x361)
        return 234;
    return c == 0x362 ? 233 : 230;
}

void decompose(char32_t c, std::u32string& out) {
    if (c < TABLE[0]) {
        out += c;
        return;
    }
    if (c >= HANGUL && c < HANGUL + SYLLABLES) {
        char32_t index = c - HANGUL;
        out.push_back(LEAD + index / (VOWELS * TAILS));
        out.push_back(VOWEL + index % (VOWELS * TAILS) / TAILS);
        if (index % TAILS != 0)
            out += TAIL + index % TAILS;
        return;
    }
    for (std::size_t i = 0; i < std::size(TABLE) && TABLE[i] <= c; i += 2 + (TABLE[i + 1] & 0xff)) {
        if (TABLE[i] != c)
            continue;
        for (std::size_t j = 0; j < (TABLE[i + 1] & 0xffu); ++j)
            decompose(TABLE[i + 2 + j], out);
        return;
    }
    out += c;
}

// The one character for the two, or 0.
char32_t compose(char32_t a, char32_t b) {
    if (a >= LEAD && a < LEAD + LEADS && b >= VOWEL && b < VOWEL + VOWELS)
        return HANGUL + ((a - LEAD) * VOWELS + (b - VOWEL)) * TAILS;
    if (a >= HANGUL && a < HANGUL + SYLLABLES && (a - HANGUL) % TAILS == 0 && b > TAIL && b < TAIL + TAILS)
        return a + (b - TAIL);
    if (combining_class(b) == 0) // only marks join the letter before them
        return 0;
    for (std::size_t i = 0; i < std::size(TABLE); i += 2 + (TABLE[i + 1] & 0xff))
        if ((TABLE[i + 1] & COMPOSES) && TABLE[i + 2] == a && TABLE[i + 3] == b)
            return TABLE[i];
    return 0;
}

} // namespace

void nfkc(std::u32string& text) {
    std::u32string apart;
    apart.reserve(text.size() * 4);
    for (char32_t c : text)
        decompose(c, apart);
    for (auto run = apart.begin(); run != apart.end();) {
        if (combining_class(*run) == 0) {
            ++run;
            continue;
        }
        auto end = std::find_if(run, apart.end(), [](char32_t c) { return combining_class(c) == 0; });
        std::stable_sort(run, end,
                         [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
        run = end;
    }
    text.clear();
    std::size_t starter = std::u32string::npos;
    int last_class = -1; // of what stands between the starter and here; -1: nothing does
    for (char32_t c : apart) {
        int own = combining_class(c);
        if (starter != std::u32string::npos && last_class < own) {
            if (char32_t one = compose(text[starter], c)) {
                text[starter] = one;
                continue;
            }
        }
        if (own == 0) {
            starter = text.size();
            last_class = -1;
        } else {
            last_class = own;
        }
        text += c;
    }
    std::fill(apart.begin(), apart.end(), U'\0');
}

} // namespace himalaya::auth
