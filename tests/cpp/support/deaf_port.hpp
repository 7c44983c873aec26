// A port at which nobody listens, and nobody will: it is ours for as long as this lives. One that was merely free a
// moment ago may be another program's by now.
#pragma once

#include <cstdint>

namespace himalaya::test {

class DeafPort {
  public:
    // Any port that is free; throws when there is none.
    DeafPort();
    // This one of an address of this machine, where there is that address.
    DeafPort(const char* address, std::uint16_t number);
    ~DeafPort();
    DeafPort(const DeafPort&) = delete;
    DeafPort& operator=(const DeafPort&) = delete;

    std::uint16_t number() const { return m_number; }

  private:
    bool hold(const char* address);

    int m_socket = -1;
    std::uint16_t m_number = 0;
};

} // namespace himalaya::test
