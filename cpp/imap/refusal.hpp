// From a server's NO, BAD or BYE to an Error: which code it is, whether to come back and when, and what the user can
// do. The server's own words are always part of the message, because providers say more there than in codes.
// (Refused logins have words of their own: auth/refusal.hpp.)
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace himalaya::imap {

// In this room `Code` is what stands in a response's brackets; this is the kind of failure.
using Fault = himalaya::Code;

enum class Verdict { ok, no, bad, bye };

// What a refusal looks like on the wire, taken apart.
struct Refusal {
    Verdict verdict = Verdict::no;
    std::string_view code; // AUTHENTICATIONFAILED, OVERQUOTA, ...; empty when there was none
    std::string_view text; // for people
};

// "Suggested Backoff Time: 92000 milliseconds" and its kin; nothing when no time is named.
std::optional<int64_t> backoff_of(std::string_view text);

// Too many connections for this account, whichever way the server puts it.
bool too_many_connections(const Refusal& refusal);
// Too many commands at once or too fast.
bool throttles(const Refusal& refusal);

// `doing` completes "the server refused to ...", as in "open the folder INBOX".
Error error_of(const Refusal& refusal, std::string_view doing);

// Milliseconds the error asks to wait, from its detail; 0 when it names none.
int64_t wait_of(const Error& error);

// Without control characters and not longer than a line on the screen can bear: what a server says is hostile.
std::string shown(std::string_view text);

} // namespace himalaya::imap
