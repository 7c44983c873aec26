// FETCH, for one message as for a mailbox of 50,000: the set goes out in windows of UIDs, newest first, two or three
// in flight, sized by what the connection was seen to carry. Between windows a more urgent task gets the connection.
// The first window travels with the SELECT, so that opening a folder and its newest mail is one round trip.
#pragma once

#include "imap/folder.hpp"
#include "imap/session.hpp"

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

// What stands behind UID FETCH set: "(UID FLAGS ENVELOPE)". What this server cannot give is left out.
std::string fetch_items(const FetchWants& wants, const Session& session);

loop::Task<FetchResult> fetch(std::shared_ptr<Session> session, FetchRequest request, FetchSink& sink,
                              loop::CancelToken token);

// How to cut a set: pure, so that it can be tested by itself.
class Windows {
  public:
    // `exists` messages are spread over UIDs up to `highest`.
    Windows(UidSet set, uint32_t exists, uint32_t highest);
    bool done() const { return m_left.empty(); }
    UidSet next(uint64_t messages);
    // What came of one. UIDs are rarely spread evenly, and some servers lie about how many messages there are.
    void came(uint64_t expected, uint64_t received);

  private:
    UidSet m_left;
    double m_uids_per_message = 1;
};

} // namespace himalaya::imap
