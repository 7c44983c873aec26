// How a set of UIDs is cut into pieces that hold about as many messages as are wanted. Pure, so that it can be tested by
// itself.
#pragma once

#include "imap/uid_set.hpp"

#include <cstdint>

namespace himalaya::imap {

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
