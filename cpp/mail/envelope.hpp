// What a list shows of a message, out of the header as it lies in a file: what IMAP's ENVELOPE says of one on a server.
// Robust before strict: a header that is broken gives what can be read of it. Charsets may need tables from the disk:
// not for the editor's thread.
#pragma once

#include "mail/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace himalaya::mail {

struct Envelope {
    std::string date; // as sent
    std::optional<std::int64_t> sent;
    std::string subject;
    Address from;
    std::vector<Address> to; // Cc as well
    std::string message_id;  // "<...>", or nothing
    std::string in_reply_to;
    std::vector<std::string> references;
};

// `bytes` may be a whole message, or its beginning.
Envelope read_envelope(std::string_view bytes);

// "Anna <anna@example.org>, list: a@b, c@d;" as the people in it; at most `most`.
std::vector<Address> parse_addresses(std::string_view text, std::size_t most);
// "<a@b> <c@d>" as its parts.
std::vector<std::string> message_ids(std::string_view text);

// Whether a message carries something beside its text, told from its bytes without parsing all of it.
bool looks_attached(std::string_view bytes);

} // namespace himalaya::mail
