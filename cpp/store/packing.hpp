// Lists inside one column. Keywords are IMAP atoms, so a blank parts them; names and addresses are cleaned of
// control characters here, so two of those can part them.
#pragma once

#include "store/rows.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace himalaya::store {

std::string pack_keywords(std::vector<std::string> keywords); // sorted, each once
std::vector<std::string> unpack_keywords(std::string_view packed);
// `packed` with the keywords of `add` and without those of `remove`.
std::string changed_keywords(std::string_view packed, std::string_view add, std::string_view remove);

std::string pack_addresses(const std::vector<Address>& addresses);
std::vector<Address> unpack_addresses(std::string_view packed);

// Sixty-four bits of a Message-ID (or of a subject): what threads and moves are matched by. Zero for no text.
std::int64_t hash_of(std::string_view text);

} // namespace himalaya::store
