// Plain text as it was meant: line ends as '\n', and format=flowed (RFC 3676) put back into paragraphs.
#pragma once

#include <string>
#include <string_view>

namespace himalaya::mail {

std::string plain_lines(std::string_view text);
std::string unflowed(std::string_view text, bool delete_space);

} // namespace himalaya::mail
