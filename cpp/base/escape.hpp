// Sequences that terminals act on: colours, titles, the clipboard. They are taken away whole, since what stays of one
// when only its escape sign goes, `[31m`, is no word of anybody's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace himalaya::text {

// How much of the beginning of `text` is one sequence: nothing where it begins with neither ESC nor U+009B, and only
// the introducer where what follows is no sequence or does not end.
std::size_t escape_length(std::string_view text);

std::string without_escapes(std::string_view text);

} // namespace himalaya::text
