// Where mail comes from and where the user's changes go, whatever it is. The rest of the house does not ask which
// source it is; a source says what it can.
#pragma once

#include "imap/uid_set.hpp"
#include "loop/cancel.hpp"
#include "loop/task.hpp"
#include "store/messages.hpp"
#include "store/ops.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace himalaya::sync {

using imap::UidSet;

// What a source throws when the way to it failed, or ended, and so nothing was answered: no reply, no login, no
// connection, a line that broke. Every other Error of its is an answer to what was asked.
struct Unreached : Error {
    explicit Unreached(const Error& error) : Error(error) {}
};

// The line was there, and broke while something was asked.
struct LineLost : Unreached {
    using Unreached::Unreached;
};

// A folder as the source sees it now. Unknown numbers are nothing.
struct RemoteState {
    std::int64_t uidvalidity = 0;
    std::optional<std::int64_t> uidnext;
    std::optional<std::int64_t> modseq;
    std::optional<std::int64_t> total;
    std::optional<std::int64_t> unread;
};

struct RemoteFolder {
    store::Folder folder; // path, remote, delimiter, role, selectable
    std::optional<RemoteState> state;
};

// What the store knows of a folder's content.
struct Known {
    std::int64_t uidvalidity = 0;
    std::int64_t modseq = 0;
    UidSet uids;

    // Who wants to see the folder as it is now, and to be told nothing of what changed.
    static Known nothing() { return {-1, 0, {}}; }
};

// Reading stops while nobody has room.
class Flow {
  public:
    virtual ~Flow() = default;
    virtual void pause() = 0;
    virtual void resume() = 0;
};

class EnvelopeSink {
  public:
    virtual ~EnvelopeSink() = default;
    // All messages with these UIDs that the source has were given.
    virtual void on_done(const UidSet& uids) = 0;
    virtual void on_envelope(Flow& flow, store::Arrival arrival) = 0;
};

class BodySink {
  public:
    virtual ~BodySink() = default;
    virtual void on_body(Flow& flow, std::int64_t uid, std::string_view bytes) = 0;
    // Large ones come in pieces and are never whole in memory; `end` says whether all of it came.
    virtual void on_large_begin(std::int64_t size) = 0;
    virtual void on_large_piece(Flow& flow, std::string_view bytes) = 0;
    virtual void on_large_end(Flow& flow, std::int64_t uid, bool whole) = 0;
};

// Whole messages, envelope and text in one.
class LetterSink : public BodySink {
  public:
    virtual void on_done(const UidSet& uids) = 0;
    // Without `bytes` its text could not be had, or is a large one that has come in pieces: on_large_end() follows.
    virtual void on_letter(Flow& flow, store::Arrival arrival, std::optional<std::string_view> bytes) = 0;
};

// What a change on the server answered.
struct Named {
    std::int64_t uidvalidity = 0;                            // of the receiving folder; 0: not said
    std::vector<std::pair<std::int64_t, std::int64_t>> uids; // old and new
    bool whole = true; // a move: false where the old ones could only be marked as deleted
};

// By what a message of ours is recognised: its Message-ID, or, without one, its size and subject.
struct Sought {
    std::string message_id;
    std::int64_t size = 0;
    std::string subject;
};

// Flags that some messages should get and lose.
struct FlagWish {
    UidSet uids;
    store::FlagChange change;
};

// One folder, held open.
class Visit {
  public:
    virtual ~Visit() = default;
    virtual const RemoteState& state() const = 0;
    // Opening it brought every flag change and expunge since Known::modseq (QRESYNC).
    virtual bool told_changes() const = 0;
    virtual bool counts_changes() const = 0; // modseq means something here
    virtual std::vector<store::FlagNews> take_flag_news() = 0;
    virtual UidSet take_vanished() = 0;

    using OnFlags = std::function<void(store::FlagNews)>;
    virtual loop::Task<> flags(UidSet uids, std::optional<std::int64_t> since, OnFlags on_flags,
                               loop::CancelToken token) = 0;
    // Which of these exist.
    virtual loop::Task<UidSet> present(UidSet among, loop::CancelToken token) = 0;
    virtual loop::Task<> envelopes(UidSet uids, EnvelopeSink& sink, loop::CancelToken token) = 0;
    virtual loop::Task<> bodies(UidSet uids, BodySink& sink, loop::CancelToken token) = 0;
    // Envelopes and bodies together: the server opens each message once.
    virtual loop::Task<> letters(UidSet uids, LetterSink& sink, loop::CancelToken token) = 0;

    // Changes. Each checks the UIDVALIDITY it was opened with.
    // All of them in one breath; for each nothing, or why the server refused it.
    virtual loop::Task<std::vector<std::optional<Error>>> change_flags(std::vector<FlagWish> wishes,
                                                                       loop::CancelToken token) = 0;
    virtual loop::Task<Named> move(UidSet uids, std::string target, loop::CancelToken token) = 0;
    virtual loop::Task<Named> copy(UidSet uids, std::string target, loop::CancelToken token) = 0;
    virtual loop::Task<bool> expunge(UidSet uids, loop::CancelToken token) = 0;
    // UIDs of the messages that may be this one, from `first` on.
    virtual loop::Task<UidSet> find(Sought sought, std::int64_t first, loop::CancelToken token) = 0;
    // Whether a move is one step: nothing is ever in both folders.
    virtual bool moves_at_once() const = 0;
};

struct NewLetter {
    std::string bytes;
    std::uint32_t flags = 0;
    std::string keywords;
    std::int64_t arrived = 0;
};

// What became of several new letters, in their order.
struct Stored {
    struct One {
        std::optional<std::int64_t> uid; // where the server told it
        std::optional<Error> refused;
    };
    std::vector<One> letters;
    bool together = false; // all or nothing: one that is refused may only have shared the command of another
};

struct SourceStats {
    std::int64_t bytes = 0;
    std::int64_t round_trips = 0;
    std::int64_t connections_opened = 0;
};

class Source {
  public:
    virtual ~Source() = default;
    // All folders, with their state where that costs no more round trips. `soon`: one that will be visited next and is
    // opened in the same breath; empty for none.
    virtual loop::Task<std::vector<RemoteFolder>> folders(std::string soon, loop::CancelToken token) = 0;
    // The state of some, in as few round trips as the server allows; nothing for one that was refused.
    virtual loop::Task<std::vector<std::optional<RemoteState>>> states(std::vector<std::string> remotes,
                                                                       loop::CancelToken token) = 0;
    // With `known` the state is fresh, and where the source can, it comes with what changed since.
    virtual loop::Task<std::unique_ptr<Visit>> visit(std::string remote, std::optional<Known> known,
                                                     bool urgent, loop::CancelToken token) = 0;
    // All of them in one breath.
    virtual loop::Task<Stored> append(std::string remote, std::vector<NewLetter> letters,
                                      loop::CancelToken token) = 0;
    virtual SourceStats stats() const = 0;
};

} // namespace himalaya::sync
