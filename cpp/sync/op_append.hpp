// New messages of the user's own, stored on the server many at a time. Each is an op for itself and marked as sent before
// its command goes, so whatever a broken line leaves in doubt is searched for before it goes again: none is doubled,
// whether the server took all of a command, some of it or nothing.
#pragma once

#include "sync/op_ledger.hpp"

#include <set>

namespace himalaya::sync {

// What is left of the group when a refusal is thrown is what the refusal is of. Those that were refused together, of
// which one was meant, are added to `alone`: each is to be tried for itself.
loop::Task<> carry_new(Work& work, Ledger& ledger, Group& group, std::set<store::Id>& alone);

} // namespace himalaya::sync
