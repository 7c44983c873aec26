// Which conversation a message belongs to, found while it arrives and in any order of arrival: every
// Message-ID that a message has or names is a *mention* with a thread; a message that brings two threads
// together joins them.
#pragma once

#include "store/change.hpp"

namespace himalaya::store {

struct Threaded {
    Id thread = 0; // 0: a thread of its own, named by the message's own row
    std::int64_t message_hash = 0;
    std::int64_t parent_hash = 0;
    std::vector<std::int64_t> mentions; // to be written with the thread, once it has a name
};

// Looks up, and joins threads where `arrival` connects them.
Threaded find_thread(Change& change, const Arrival& arrival);
void keep_mentions(Change& change, const Threaded& threaded, Id thread);

// "Re: [list] Fwd: Lunch" -> "lunch" and true: the subject without its prefixes, and whether there were any.
struct BaseSubject {
    std::string text;
    bool reply = false;
};
BaseSubject base_subject(std::string_view subject);

} // namespace himalaya::store
