// What many changes of flags come to: for each message the last word of the user on each flag, and messages that end up
// with the same change together, so that a thousand clicks are a few commands. A message is in one of them only, so the
// order of the commands does not matter and all of them may travel at once.
#pragma once

#include "store/ops.hpp"
#include "sync/source.hpp"

#include <utility>
#include <vector>

namespace himalaya::sync {

struct NetWish {
    FlagWish wish;
    std::vector<std::pair<std::size_t, std::size_t>> parts; // of which ops it is the sum: op, target
};

// `ops` are flag ops of one folder, in the order they were made. Targets without a name on the server are left out.
std::vector<NetWish> net_wishes(const std::vector<store::Op>& ops);

} // namespace himalaya::sync
