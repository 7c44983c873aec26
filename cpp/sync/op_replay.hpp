// The user's changes carried to the server, in the order they were made. Several like each other go out as one
// command. An op that was sent before and never answered is searched for on the server before it is repeated.
//
// Rules where both sides changed:
//   flags     the user's change of a flag wins over the server's, flags that the user did not touch stay the server's
//   move      a message that has left its folder on the server stays where it went
//   anew      a folder was made anew on the server (another UIDVALIDITY): nothing goes out by old UIDs. Its sync comes
//             first and gives the messages of waiting ops, moves included, their new names by Message-ID (else size and
//             subject); then they go out, in the same cycle. What is not there any more is gone; that is no error
//   delete    a message that another client expunged is gone; that is no error
//   refusal   what the server will never do is put back as it was, with the server's words; an answer that makes no
//             sense (BAD) may pass and is tried three times more, over twenty minutes, before it is taken for one
//   lost line a change at which the connection was lost goes after the others from then on (line_breakers.hpp)
#pragma once

#include "sync/folder_sync.hpp"

namespace himalaya::sync {

struct Replayed {
    std::int64_t carried = 0;         // messages
    std::vector<std::string> refused; // one sentence each, for the user
    bool waiting = false;             // some wait for the name that their folder's sync brings
    bool missed_a_folder = false;     // it may have been renamed: the list of folders will tell
};

// `listed`: the store's folders are those that the server has now.
loop::Task<Replayed> replay_ops(Work& work, bool listed);

} // namespace himalaya::sync
