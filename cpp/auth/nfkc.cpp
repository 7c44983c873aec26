// NFKC for passwords, of all that Unicode 3.2 knows: a table of 110 KB, read by bisection when a password goes beyond
// ASCII. Hangul is computed.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "auth/saslprep.hpp"

namespace himalaya::auth {

namespace {

struct Decomposition {
    char32_t point;
    std::uint16_t offset, length; // in POOL
};
struct Pair {
    char32_t first, second, one;
};
struct Marks {
    char32_t first, last;
    std::uint8_t combining_class;
};

#include "auth/nfkc_table.inc"

constexpr char32_t HANGUL = 0xac00, LEAD = 0x1100, VOWEL = 0x1161, TAIL = 0x11a7;
constexpr char32_t LEADS = 19, VOWELS = 21, TAILS = 28, SYLLABLES = LEADS * VOWELS * TAILS;

int combining_class(char32_t c) {
    const Marks* marks = std::lower_bound(std::begin(MARKS), std::end(MARKS), c,
                                          [](const Marks& of, char32_t wanted) { return of.last < wanted; });
    return marks != std::end(MARKS) && c >= marks->first ? marks->combining_class : 0;
}

void decompose(char32_t c, std::u32string& out) {
    if (c >= HANGUL && c < HANGUL + SYLLABLES) {
        char32_t index = c - HANGUL;
        out.push_back(LEAD + index / (VOWELS * TAILS));
        out.push_back(VOWEL + index % (VOWELS * TAILS) / TAILS);
        if (index % TAILS != 0)
            out += TAIL + index % TAILS;
        return;
    }
    const Decomposition* found =
        std::lower_bound(std::begin(DECOMPOSITIONS), std::end(DECOMPOSITIONS), c,
                         [](const Decomposition& of, char32_t wanted) { return of.point < wanted; });
    if (found != std::end(DECOMPOSITIONS) && found->point == c)
        out.append(POOL + found->offset, found->length);
    else
        out += c;
}

// The one character for the two, or 0.
char32_t compose(char32_t a, char32_t b) {
    if (a >= LEAD && a < LEAD + LEADS && b >= VOWEL && b < VOWEL + VOWELS)
        return HANGUL + ((a - LEAD) * VOWELS + (b - VOWEL)) * TAILS;
    if (a >= HANGUL && a < HANGUL + SYLLABLES && (a - HANGUL) % TAILS == 0 && b > TAIL && b < TAIL + TAILS)
        return a + (b - TAIL);
    const Pair* found = std::lower_bound(
        std::begin(PAIRS), std::end(PAIRS), std::pair(a, b),
        [](const Pair& of, const auto& wanted) { return std::pair(of.first, of.second) < wanted; });
    return found != std::end(PAIRS) && found->first == a && found->second == b ? found->one : 0;
}

} // namespace

void nfkc(std::u32string& text) {
    std::u32string apart;
    apart.reserve(text.size() * 18); // the longest; a string that grows leaves its old self behind
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
