// What people type to find mail (mail/query.hpp) as the keys of a SEARCH, for folders whose messages are not all here.
// The meaning is the store's: a word is looked for in subject, sender and recipients, and all must hold.
#pragma once

#include "imap/command.hpp"
#include "mail/query.hpp"

namespace himalaya::imap {

// `gmail`: X-GM-EXT-1 is there, and knows what an attachment is; others are asked for what such mail usually looks like.
void put_query(Command& command, const mail::Query& query, bool gmail);

// Else the SEARCH needs CHARSET UTF-8.
bool is_ascii(const mail::Query& query);

} // namespace himalaya::imap
