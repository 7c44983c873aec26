// A TCP connection to a name, as RFC 8305 has it: addresses of both families take turns, one every 250 ms and
// at once when the one before has failed, and the first to connect wins. A name whose IPv6 leads nowhere
// costs a quarter of a second and not the minutes of a TCP timeout.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "loop/stream.hpp"
#include "loop/timer.hpp"
#include "net/resolver.hpp"

namespace himalaya::net {

// Which address is next, as a pure value.
class Candidates {
  public:
    void add(std::vector<Address> addresses);
    // The next to try, the families in turn, IPv6 first; nothing when all known ones were given.
    std::optional<Address> next();
    bool empty() const { return m_v4.empty() && m_v6.empty(); }

  private:
    std::deque<Address> m_v4, m_v6;
    int m_last_family = 0;
};

struct Connected {
    std::unique_ptr<loop::Tcp> tcp;
    Address address;
};

constexpr std::uint64_t STAGGER_MS = 250;         // between two attempts
constexpr std::uint64_t RESOLUTION_DELAY_MS = 50; // IPv4 came first: so long IPv6 may still overtake it

// `host` in ASCII, or an address. Gives up with the token's reason; who limits the time cancels with
// Code::timeout.
loop::Task<Connected> connect(loop::Loop& loop, Resolver& resolver, std::string host, std::uint16_t port,
                              loop::CancelToken token);

// A dead peer is noticed within a minute: keepalive after 30 s of silence, every 10 s, three times; and what
// was sent is acknowledged within 60 s. No delay for small writes.
void tune(loop::Tcp& tcp);

} // namespace himalaya::net
