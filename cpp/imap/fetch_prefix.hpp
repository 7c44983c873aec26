// "* 12 FETCH (UID 7 FLAGS (\Seen) BODY[] {4096}": when the line ends there, whose literal is it? Asked
// before the body comes, so that it can go straight to the sink with its UID and section. The answer must not
// cost more than the line: what was searched once is not searched again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "imap/lexer.hpp"

namespace himalaya::imap {

struct FetchPrefix {
    size_t searched = 0; // an item of the FETCH starts here; npos: this is no FETCH we understand
    uint32_t seq = 0;
    std::optional<uint32_t> uid;
};

// `bytes` ends with the announcement ("{4096}" and its line end), which begins at `announced`. True when the
// literal is a piece of a message; then `start` says which.
bool find_body(std::string_view bytes, size_t announced, const Frame& gaps, FetchPrefix& state,
               LiteralStart& start);

// Steps over one value: an atom, a string, a literal or a list. npos when it does not end within `bytes` or
// nests deeper than `nesting`.
size_t skip_value(std::string_view bytes, size_t position, const Frame& gaps, size_t nesting = 100);

// Reads "BODY[1.2.HEADER]<0>", "BINARY[1]", "RFC822.TEXT" at `position`. False when it is another item.
bool read_section_name(std::string_view bytes, size_t& position, Section& section);

// "{12}", "{12+}", "~{12}" and the line end at `position`: where its bytes begin, and how many.
struct LiteralHead {
    size_t data = 0;
    uint64_t size = 0;
};
std::optional<LiteralHead> literal_head(std::string_view bytes, size_t position);

} // namespace himalaya::imap
