// Text of any charset as valid UTF-8. What a charset cannot say, and what no charset is known for, becomes U+FFFD or
// is read as Windows-1252, never an error: a message with one bad byte is still a message.
#pragma once

#include <string>
#include <string_view>

namespace himalaya::mail {

std::string to_utf8(std::string_view bytes, std::string_view charset);

} // namespace himalaya::mail
