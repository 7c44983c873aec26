#include "support/deaf_port.hpp"

#include <stdexcept>

#include <uv.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace himalaya::test {

DeafPort::DeafPort() {
    if (!hold("127.0.0.1"))
        throw std::runtime_error("no port is left for the test");
}

DeafPort::DeafPort(const char* address, std::uint16_t number) : m_number(number) {
    hold(address);
}

DeafPort::~DeafPort() {
    if (m_socket >= 0)
        close(m_socket);
}

bool DeafPort::hold(const char* address) {
    sockaddr_storage at{};
    if (uv_ip4_addr(address, m_number, reinterpret_cast<sockaddr_in*>(&at)) != 0)
        uv_ip6_addr(address, m_number, reinterpret_cast<sockaddr_in6*>(&at));
    socklen_t size = at.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    m_socket = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(m_socket, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        getsockname(m_socket, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        return false;
    m_number = ntohs(at.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&at)->sin_port
                                             : reinterpret_cast<sockaddr_in6*>(&at)->sin6_port);
    return true;
}

} // namespace himalaya::test
