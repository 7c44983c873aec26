// Bodies of some messages of one folder, because somebody wants them all at once: an export does.
#pragma once

#include "store/store.hpp"
#include "sync/source.hpp"

namespace himalaya::sync {

class BodyPen;

// Writes what the visit reads; what came whole is kept, however it ended.
loop::Task<> fetch_into(BodyPen& pen, Visit& visit, UidSet uids, loop::CancelToken token);

// Those that have a name on the server. Needs no lead: attaching a body is safe for anybody. What came whole before
// an error is kept.
loop::Task<> fetch_bodies(std::shared_ptr<store::Store> store, std::shared_ptr<Source> source,
                          std::vector<store::Id> messages, loop::CancelToken token);

} // namespace himalaya::sync
