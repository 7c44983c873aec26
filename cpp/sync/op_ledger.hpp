// What is written down while ops are carried out (sent, done, refused, held back, waiting), and what an earlier try of
// one has left on the server.
#pragma once

#include "sync/op_group.hpp"
#include "sync/op_replay.hpp"

#include <map>
#include <utility>
#include <vector>

namespace himalaya::sync {

// Old UID and new.
using Names = std::vector<std::pair<std::int64_t, std::int64_t>>;

// What repeating at once does not help against.
bool is_final(const Error& error);

class Ledger {
  public:
    Ledger(Work& work, Replayed& result) : m_work(work), m_result(result) {}

    loop::Task<> mark_sent(const Group& group, std::optional<std::int64_t> uidnext);
    // These letters of the group are done; `named` tells the new UID of some, by the old one. They may be many
    // thousands, which the writer's thread goes through and frees.
    loop::Task<> finish(const Group& group, std::vector<Letter> letters, Names named);
    // They are marked as deleted on the server, but cannot go without others that we did not mark.
    loop::Task<> wait_for_others(const Group& group);
    // Until the sync that brings them.
    loop::Task<> wait_for_names(std::vector<store::Op> ops);
    // Whether the sync may go on though the connection was lost at these. Not the first time, which may be chance; and
    // what a move or an expunge has done is asked before anything else, or the folders' syncs draw wrong conclusions.
    bool may_wait_for_a_line(const Group& group) const;
    loop::Task<> wait_for_a_line(Group group);
    // Refused for good, or held back for a while where that may help.
    loop::Task<> take_refusal(Group group, Error error);
    loop::Task<> refuse(const Group& group, const Error& error);

    loop::Task<std::optional<std::int64_t>> uidnext_of(const store::Folder& folder);
    // Results of a command whose answer never came, by the old UIDs: messages with our Message-IDs that were not there
    // before.
    loop::Task<std::map<std::int64_t, std::int64_t>> find_made(const Group& group);

  private:
    loop::Task<> hold_back(std::vector<store::Op> ops);

    Work& m_work;
    Replayed& m_result;
};

} // namespace himalaya::sync
