// Folders: which there are, what is in them, and selecting one. Names are UTF-8 here; how they look on the wire is
// the command writer's and the parser's.
#pragma once

#include "imap/session.hpp"

#include <string>
#include <vector>

namespace himalaya::imap {

struct FolderInfo {
    std::string name;                    // UTF-8
    std::string delimiter;               // empty: the folder has no place for children
    std::vector<std::string> attributes; // \HasNoChildren, \Sent
    std::string role; // inbox sent drafts trash junk archive all flagged important; empty for none
    bool selectable = true;
    bool has_status = false;
    uint32_t messages = 0, unseen = 0;
    std::optional<uint32_t> uid_next, uid_validity;
    std::optional<uint64_t> highest_modseq, size;
    std::string mailbox_id;
};

struct StatusInfo {
    std::optional<uint32_t> messages, recent, unseen, uid_next, uid_validity, deleted;
    std::optional<uint64_t> highest_modseq, size, append_limit;
    std::string mailbox_id;
};

// What the caller knows of a folder from before: with QRESYNC one SELECT brings all that changed since.
struct Known {
    uint32_t uid_validity = 0;
    uint64_t modseq = 0;
    UidSet uids;
};

struct SelectOptions {
    bool read_only = false;
    bool again = false; // even when it is selected: some servers tell the truth only then
    std::optional<Known> known;
    Function<void(const Fetch&)> on_changed; // QRESYNC's answers
    Function<void(Ranges)> on_vanished;
    Function<void()> beside; // posts what travels behind the SELECT, when there is one
};

// A folder's name from the wire, and back onto it.
std::string folder_name(Session& session, Text wire);
Command& put_folder(Command& command, Session& session, const std::string& name);

// SELECT on its way; what is posted behind it acts on that folder, or fails with it. Null when it is selected already.
Ticket post_select(Session& session, const std::string& folder, SelectOptions options = {});
// The folder is selected when this returns. Hold it with Session::use() first.
loop::Task<Selected> select(std::shared_ptr<Session> session, std::string folder, SelectOptions options,
                            loop::CancelToken token);

// `pattern` as LIST has it: "*", "%", "INBOX.%".
loop::Task<std::vector<FolderInfo>> list(std::shared_ptr<Session> session, std::string pattern,
                                         bool with_status, loop::CancelToken token);

// All at once, pipelined; one that is refused has its error and does not spoil the others.
loop::Task<std::vector<Result<StatusInfo>>> status(std::shared_ptr<Session> session,
                                                   std::vector<std::string> folders, loop::CancelToken token);

// The role of a folder by its attributes, and by its name where the server has no SPECIAL-USE.
std::string role_of(const std::vector<std::string>& attributes, std::string_view name, bool by_name);

} // namespace himalaya::imap
