// Why a server did not let us in, in its own words, with what the user can do about it. Servers say the same
// few things in a hundred ways; the known ones get a hint that names the way out.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace himalaya::auth {

// The tagged NO, BAD or BYE that ended a login.
struct Reply {
    std::string status; // "NO", "BAD", "BYE"
    std::string code;   // the response code's name, "" when there was none: AUTHENTICATIONFAILED, ALERT, ...
    std::string text;   // the human text behind it
};

struct Context {
    std::string user;
    std::string host;
    std::string mechanism;
    bool oauth = false;
};

struct Refusal {
    Error error;
    bool try_next = false; // the mechanism was refused, not the secret: another one may do
};

// `complaint` is what the server said inside the exchange (OAuth's JSON), "" when nothing.
Refusal explain(const Reply& reply, const Context& context, std::string_view complaint = {});

} // namespace himalaya::auth
