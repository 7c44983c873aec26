#include "mail/letter_case.hpp"

#include "mail/utf8.hpp"

#include <algorithm>
#include <array>

namespace himalaya::mail {

namespace {

// Letters in a row whose other case lies at one distance.
struct Stretch {
    char32_t first; // of the capitals
    char32_t last;
    char32_t distance; // to the small letter
};
constexpr std::array<Stretch, 13> STRETCHES{{
    {'A', 'Z', 32},
    {0xC0, 0xD6, 32},
    {0xD8, 0xDE, 32},
    {0x386, 0x386, 38},
    {0x388, 0x38A, 37},
    {0x38C, 0x38C, 64},
    {0x38E, 0x38F, 63},
    {0x391, 0x3A1, 32},
    {0x3A3, 0x3AB, 32},
    {0x400, 0x40F, 80},
    {0x410, 0x42F, 32},
    {0x531, 0x556, 48},
    {0x4C0, 0x4C0, 15},
}};

// Letters that come in pairs, the capital first.
struct Pairs {
    char32_t first;
    char32_t last;
};
constexpr std::array<Pairs, 9> PAIRS{{
    {0x100, 0x12F},
    {0x132, 0x137},
    {0x139, 0x148},
    {0x14A, 0x177},
    {0x179, 0x17E},
    {0x460, 0x481},
    {0x48A, 0x4BF},
    {0x4C1, 0x4CE},
    {0x4D0, 0x52F},
}};

const Pairs* pair_of(char32_t letter) {
    auto found = std::find_if(PAIRS.begin(), PAIRS.end(), [&](const Pairs& pairs) {
        return letter >= pairs.first && letter <= pairs.last;
    });
    return found == PAIRS.end() ? nullptr : &*found;
}

} // namespace

char32_t lower_case(char32_t letter) {
    for (const auto& stretch : STRETCHES)
        if (letter >= stretch.first && letter <= stretch.last)
            return letter + stretch.distance;
    const auto* pairs = pair_of(letter);
    return pairs && (letter - pairs->first) % 2 == 0 ? letter + 1 : letter;
}

char32_t upper_case(char32_t letter) {
    for (const auto& stretch : STRETCHES)
        if (letter - stretch.distance >= stretch.first && letter - stretch.distance <= stretch.last)
            return letter - stretch.distance;
    const auto* pairs = pair_of(letter);
    return pairs && (letter - pairs->first) % 2 == 1 ? letter - 1 : letter;
}

std::vector<std::string> case_variants(std::string_view text) {
    std::vector<std::string> variants{std::string(text)};
    if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
        return variants;
    std::string small, capital, title, sentence;
    bool begins = true;
    while (!text.empty()) {
        auto letter = next_utf8(text);
        append_utf8(sentence, small.empty() ? upper_case(letter) : lower_case(letter));
        append_utf8(small, lower_case(letter));
        append_utf8(capital, upper_case(letter));
        append_utf8(title, begins ? upper_case(letter) : lower_case(letter));
        begins = letter == ' ' || letter == '-';
    }
    for (auto& variant : {small, capital, title, sentence})
        if (std::find(variants.begin(), variants.end(), variant) == variants.end())
            variants.push_back(variant);
    return variants;
}

} // namespace himalaya::mail
