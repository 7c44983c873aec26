// People in messages: a name, decoded, and an address.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace himalaya::mail {

struct Address {
    std::string name; // decoded UTF-8; may be empty
    std::string addr; // "anna@example.org"
    bool operator==(const Address&) const = default;
};

// As an ENVELOPE has it: undecoded name, mailbox and host (which may be empty).
Address address_of(std::string_view name, std::string_view mailbox, std::string_view host);

// `Anna Berg <anna@example.org>`, `"Berg, Anna" <anna@example.org>`, `anna@example.org`: text for people and for the
// headers of a draft (where non-ASCII names are encoded later). Never holds a line end.
std::string full_text(const Address& address);
std::string full_text(const std::vector<Address>& addresses); // with commas

// `Anna Berg`, else `anna@example.org`: for a list, where room is short.
std::string short_text(const Address& address);

} // namespace himalaya::mail
