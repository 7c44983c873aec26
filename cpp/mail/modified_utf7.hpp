// Folder names on the wire of IMAP4rev1 (RFC 3501, 5.1.3): printable ASCII as it is, "&" as "&-", all else as UTF-16
// in a base64 of its own. Whatever is encoded is printable ASCII, so no name can break out of a command.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace himalaya::mail {

// From UTF-8; what is none becomes U+FFFD.
std::string encode_modified_utf7(std::string_view utf8);

// To UTF-8. Nothing unless encoding the result gives exactly `wire` again: only then may the name alone be kept.
std::optional<std::string> decode_modified_utf7(std::string_view wire);

// What to show for any name: decoded as far as it can be, what cannot stays as it is; always UTF-8.
std::string show_folder_name(std::string_view wire);

} // namespace himalaya::mail
