// A message's flags, in the one set of words that IMAP, Maildir and the screen are translated to and from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace himalaya::mail {

// The bits are those of the store's rows.
enum Flag : uint32_t { SEEN = 1, FLAGGED = 2, ANSWERED = 4, DRAFT = 8, FORWARDED = 16, DELETED = 32 };

struct Flags {
    uint32_t bits = 0;
    std::vector<std::string> keywords; // sorted, without case doubles
    bool operator==(const Flags&) const = default;
};

// One flag as IMAP names it; \Recent and what is none is left out. $Forwarded is a keyword there and a flag here.
void add_imap_flag(Flags& flags, std::string_view name);

// `\Seen`, `$Forwarded`, keywords: what a STORE or APPEND sends.
std::vector<std::string> imap_flags(const Flags& flags);

// "seen" for SEEN: the words of the Lua interface, where "forwarded" is one too, in any case and by IMAP's names as
// well. 0 for a word that is none.
uint32_t flag_of(std::string_view word);

// Whether IMAP can carry the word as a keyword: an atom, and not one of the flags above.
bool is_keyword(std::string_view word);

} // namespace himalaya::mail
