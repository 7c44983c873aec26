#include "net/gathering.hpp"

#include <cstdio>

#include <sys/socket.h>
#include <sys/utsname.h>

namespace himalaya::net {

namespace {

constexpr int GATHERED = 64 * 1024;
constexpr std::uint64_t WAITED_MS = 2;

// From Linux 4.18 on whoever lowers the mark is woken for what is there already; elsewhere it would lie there until
// more comes.
bool can_gather() {
#ifdef __linux__
    static const bool can = [] {
        utsname system{};
        int major = 0, minor = 0;
        return uname(&system) == 0 && std::sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
               (major > 4 || (major == 4 && minor >= 18));
    }();
    return can;
#else
    return false;
#endif
}

} // namespace

void Gathering::came(int socket, std::size_t bytes) {
    m_flow.add(m_loop.now_ms(), bytes);
    if (m_flow.fast() != m_on && can_gather())
        wake_at(socket, m_on ? 1 : GATHERED);
    if (m_on)
        m_end.start(WAITED_MS, 0, [this, socket] { wake_at(socket, 1); });
    else
        m_end.stop();
}

void Gathering::wake_at(int socket, int bytes) {
    m_on = setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0 && bytes > 1;
}

} // namespace himalaya::net
