// An answer that grows beyond what it can honestly be: a server that does not stop would hold its request, and grow the
// editor, for ever. Every line of it is progress, so no time limit ends it.
#pragma once

#include "imap/session.hpp"

#include <fmt/format.h>
#include <string>

namespace himalaya::imap {

// Ends the connection once what is being read has been read; `what`: "folders". Whoever asked gets the error.
inline void too_much(Session& session, std::string what) {
    session.loop().defer([weak = session.weak_from_this(), what = std::move(what)] {
        if (auto alive = weak.lock())
            alive->close(make_error(Fault::protocol,
                                    fmt::format("The server tells of more {} than there can be.", what),
                                    "Ask whoever runs the server."));
    });
}

} // namespace himalaya::imap
