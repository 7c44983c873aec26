// ASCII without case, as the protocol compares its words. No locale: the editor's own may be Turkish.
#pragma once

#include <cstddef>
#include <string_view>

namespace himalaya::imap {

constexpr char upper(char c) {
    return c >= 'a' && c <= 'z' ? char(c - 32) : c;
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// `word` is written in capitals by us.
constexpr bool same_word(std::string_view text, std::string_view word) {
    if (text.size() != word.size())
        return false;
    for (size_t i = 0; i < text.size(); i++)
        if (upper(text[i]) != word[i])
            return false;
    return true;
}

constexpr bool starts_with_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() && same_word(text.substr(0, word.size()), word);
}

constexpr bool ends_with_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() && same_word(text.substr(text.size() - word.size()), word);
}

} // namespace himalaya::imap
