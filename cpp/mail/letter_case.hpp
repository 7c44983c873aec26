// Upper and lower case beyond ASCII, for the alphabets that have one and that mail is written in: Latin, Greek,
// Cyrillic, Armenian. Not Unicode's whole folding: SQLite's LIKE takes 'a' for 'A' but not 'п' for 'П', and who types a
// name in small letters looks for the name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace himalaya::mail {

char32_t lower_case(char32_t letter);
char32_t upper_case(char32_t letter);

// The text as it is, in small letters, in capitals, and with a capital at the start of each word or of the first; each
// once. Only itself where all of it is ASCII.
std::vector<std::string> case_variants(std::string_view text);

} // namespace himalaya::mail
