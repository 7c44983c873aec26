// What a FETCH asks of each message, in which words, and which responses answer it.
#pragma once

#include "imap/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace himalaya::imap {

struct FetchWants {
    bool flags = false;
    bool envelope = false;
    bool size = false;
    bool internal_date = false;
    bool structure = false;
    bool preview = false;
    bool body = false; // the whole message, not marked as read
    bool modseq = false;
    bool save_date = false;
    bool object_ids = false;          // EMAILID, THREADID
    bool gmail = false;               // X-GM-MSGID, X-GM-THRID, X-GM-LABELS
    std::vector<std::string> headers; // by name; BODY[HEADER.FIELDS (...)]
    std::vector<std::string> parts;   // "1.2", "HEADER", "1.MIME"
    std::optional<uint64_t> changed_since;
    bool vanished = false; // with changed_since, QRESYNC: also what was expunged
};

// What stands behind UID FETCH set: "(UID FLAGS ENVELOPE)". What this server cannot give is left out.
std::string fetch_items(const FetchWants& wants, const Session& session);

// False when it is news of a message that was not asked for: that has flags and perhaps a modseq, nothing else.
bool answers(const FetchWants& wants, const Fetch& got);

// What of it cannot be read may be left out; false when the rest would not be worth much.
bool leave_out(FetchWants& wants, Text item);

} // namespace himalaya::imap
