// What servers do differently from the RFCs, in one table. A vendor is never believed by one string alone: a name in a
// greeting or an ID reply only makes us more careful, and something beyond the cautious default is used when the
// server's capabilities fit the name too. What a connection learns by itself (a BAD, a throttle) lives in the session.
#pragma once

#include "imap/capabilities.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace himalaya::imap {

enum class Vendor {
    unknown,
    dovecot,
    gmail,
    exchange,
    icloud,
    yahoo,
    courier,
    proton,
    cyrus,
    stalwart,
    zoho,
    uw,
    domino,
    hmailserver,
    qq,
    gmx,
    strato
};

std::string_view name_of(Vendor vendor);

// What speaks for one vendor or another.
struct Evidence {
    std::string host;     // what the user configured
    std::string greeting; // text of the greeting
    std::string id_name;  // "name" of the ID reply
};

struct Quirks {
    Vendor vendor = Vendor::unknown;
    size_t line_budget = 8000;      // bytes of one command line, UID sets included
    size_t window = 15;             // commands in flight at first
    size_t burst = 32000;           // bytes of questions with short answers in flight, however many they are
    bool search_return = true;      // SEARCH RETURN (...) may be tried
    bool id = true;                 // ID ("name" ...) may be sent
    bool special_use_return = true; // LIST ... RETURN (SPECIAL-USE)
    bool list_status = true;        // LIST ... RETURN (STATUS (...))
    bool idle_sees_all = true;      // IDLE and NOOP tell of every change (Exchange's need a SELECT anew)
    bool whole_sets = true;         // sets may be written with ranges in any order
    size_t idle_minutes = 24;       // IDLE is re-issued after so many minutes
};

Quirks quirks_of(const Evidence& evidence, const Capabilities& capabilities);

} // namespace himalaya::imap
