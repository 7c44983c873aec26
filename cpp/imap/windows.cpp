#include "imap/windows.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace himalaya::imap {

Windows::Windows(UidSet set, uint32_t exists, uint32_t highest) {
    if (!set.empty() && set.max() > highest)
        set.remove(Range{highest + 1, last_of_all});
    m_left = std::move(set);
    if (exists > 0 && highest > exists)
        m_uids_per_message = double(highest) / exists;
}

UidSet Windows::next(uint64_t messages) {
    auto uids =
        static_cast<uint64_t>(std::llround(double(std::max<uint64_t>(messages, 1)) * m_uids_per_message));
    UidSet window = m_left.newest(std::max<uint64_t>(uids, 1));
    m_left = m_left.without(window);
    return window;
}

void Windows::came(uint64_t expected, uint64_t received) {
    if (received == 0)
        m_uids_per_message = std::min(m_uids_per_message * 4, double(last_of_all));
    else if (received > 2 * expected)
        m_uids_per_message = std::max(m_uids_per_message * double(expected) / double(received), 1.0);
}

} // namespace himalaya::imap
