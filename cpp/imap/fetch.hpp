// FETCH, for one message as for a mailbox of 50,000: the set goes out in windows of UIDs, newest first, two or three
// in flight, sized by what the connection was seen to carry. Between windows a more urgent task gets the connection.
// The first window travels with the SELECT, so that opening a folder and its newest mail is one round trip.
#pragma once

#include "imap/fetch_wants.hpp"
#include "imap/folder.hpp"
#include "imap/session.hpp"

#include <string>
#include <vector>

namespace himalaya::imap {

// Where messages go. Called from inside reading, so it must be quick; a sink that is behind calls
// session.pause() and later resume().
class FetchSink {
  public:
    virtual ~FetchSink() = default;
    virtual void on_selected(const Selected&) {}
    virtual void on_message(Session& session, const Fetch& message) = 0;
    virtual void on_vanished(Ranges) {}
    // All of these that exist have come.
    virtual void on_done(const UidSet&) {}
    // A literal too large to hold (Limits::inline_literal); the message comes later, its section says `streamed`.
    virtual LiteralSink* on_large(const LiteralStart&) { return nullptr; }
};

struct FetchRequest {
    std::string folder;
    UidSet uids;
    FetchWants wants;
    Priority priority = Priority::ui;
    std::optional<uint32_t> uid_validity; // Error{uidvalidity} when the folder has another one
};

struct FetchResult {
    uint64_t messages = 0;
    uint32_t uid_validity = 0;
    uint32_t windows = 0;
};

loop::Task<FetchResult> fetch(std::shared_ptr<Session> session, FetchRequest request, FetchSink& sink,
                              loop::CancelToken token);

} // namespace himalaya::imap
