// Small work on text that all rooms share. Text from outside (mail, servers, programs) is hostile: it may
// hold control characters that would drive a terminal, and bytes that are no UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace himalaya::text {

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);
// Invalid bytes become U+FFFD, one per maximal broken part.
std::string to_utf8(std::string_view text);

// One line that is safe to show: valid UTF-8; C0, DEL, C1, line separators and the characters that turn the
// writing direction are gone or, where they part words (tab, newline), a blank.
std::string clean_line(std::string_view text);
// The same for many lines: "\n" stays, "\r\n" becomes "\n", tabs stay.
std::string clean_text(std::string_view text);
// At most `bytes`, cut between characters.
std::string_view cut(std::string_view text, std::size_t bytes);

// ASCII only: what protocols mean by "case does not matter".
char lower(char c);
std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool same_ignoring_case(std::string_view a, std::string_view b);
bool starts_ignoring_case(std::string_view text, std::string_view start);
int compare_ignoring_case(std::string_view a, std::string_view b);

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Everything but letters, digits and -._~ becomes %XX.
std::string percent_encode(std::string_view text);
// Nothing where a % is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

std::string base64_encode(std::string_view bytes);
// White space is skipped; nothing when it is no base64.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex(std::string_view bytes);

std::optional<std::uint64_t> to_unsigned(std::string_view digits);

// How alike two words are: edits from one to the other. For "did you mean".
std::size_t distance(std::string_view a, std::string_view b);

} // namespace himalaya::text
