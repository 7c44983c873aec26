// UTF-8 one character at a time, for decoders. Never reads past its input, never gives a surrogate.
#pragma once

#include <string>
#include <string_view>

namespace himalaya::mail {

// Takes the next character off `text` (which is not empty); U+FFFD for a byte that starts none.
char32_t next_utf8(std::string_view& text);

void append_utf8(std::string& out, char32_t c);

} // namespace himalaya::mail
