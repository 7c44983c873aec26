// One folder brought up to date: flags, expunges, new mail newest first, bodies behind. Every step ends in a
// transaction that is true by itself, so that it may be cut off between any two.
#pragma once

#include "store/store.hpp"
#include "sync/line_breakers.hpp"
#include "sync/plan.hpp"
#include "sync/progress.hpp"
#include "sync/source.hpp"

namespace himalaya::sync {

struct BodyPolicy {
    bool fetch = true;
    std::optional<std::int64_t> newest_days; // nothing: all
};

// What all steps of one account's sync share.
struct Work {
    std::shared_ptr<store::Store> store;
    std::shared_ptr<Source> source;
    Progress* progress = nullptr;
    std::function<void()> on_progress;
    BodyPolicy bodies;
    bool thorough = false; // look at flags also where the server cannot say that they changed
    loop::CancelToken token;
    LineBreakers* line_breakers = nullptr; // the account's
};

struct FolderOutcome {
    std::vector<store::Id> fresh; // rows that came
    bool first = false;           // the folder was new to us: its mail is no news
    std::int64_t updated = 0;
    std::int64_t expunged = 0;
    std::int64_t withheld = 0; // deletions that wait for the user's yes
    std::int64_t unmoved = 0;  // messages the user moved out of it that the server does not have any more
};

Local local_of(const store::Folder& folder, std::int64_t rows);
std::int64_t named_rows(store::Database& database, store::Id folder);

using Complete = std::function<void(std::int64_t uidvalidity, UidSet uids)>;
// `complete` hears of UIDs whose messages are all here now, while the rest is still coming.
loop::Task<FolderOutcome> sync_folder(Work& work, store::Folder folder, bool urgent, Complete complete);

// The user's answer to withheld deletions of a folder: do them at the next sync, or forget them.
void allow_deletions(store::Change& change, store::Id folder);
std::int64_t withheld_deletions(store::Database& database, store::Id folder);

} // namespace himalaya::sync
