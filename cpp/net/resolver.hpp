// Names to addresses. Both families are asked at once, each on a thread of its own that nobody waits for; one
// look-up per name serves all who ask. Names beyond ASCII go through IDNA (libidn2); addresses need no
// look-up at all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "base/error.hpp"
#include "loop/loop.hpp"
#include "net/aside.hpp"

namespace himalaya::net {

struct Address {
    sockaddr_storage storage{};
    int family() const { return storage.ss_family; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    std::string text() const; // "192.0.2.1", "2001:db8::1"
    void set_port(std::uint16_t port);
    void set_bytes(std::string_view bytes); // 4 or 16 of them
};

// "192.0.2.1" or "2001:db8::1" (also in brackets), nothing else.
std::optional<Address> parse_address(std::string_view text, std::uint16_t port);
// The ASCII form of a host name; config errors for what is none (spaces, control characters, over-long
// labels).
Result<std::string> to_ascii(std::string_view host);
// This machine itself, by name or address.
bool is_loopback(std::string_view host);

class Resolver {
  public:
    // Blocks; runs on another thread. AF_INET or AF_INET6.
    using Lookup = std::function<Result<std::vector<Address>>(const std::string& host, int family)>;
    // Called once for each family on the loop's thread, in the order they come.
    using OnAddresses = std::function<void(int family, Result<std::vector<Address>>)>;
    // Dropping it is the end of the asking.
    using Ticket = std::shared_ptr<OnAddresses>;

    // A question older than this is asked again for the next who asks: the network may have come back since.
    static constexpr std::int64_t STALE_MS = 5000;

    Resolver(loop::Loop& loop, std::shared_ptr<Aside> aside, Lookup lookup);

    // Addresses come without a port. Never calls back from inside.
    [[nodiscard]] Ticket ask(const std::string& ascii_host, OnAddresses on_addresses);
    int pending() const { return static_cast<int>(m_questions.size()); }

    static Result<std::vector<Address>> system_lookup(const std::string& host, int family);

  private:
    struct Question;
    using Addresses = Result<std::vector<Address>>;
    void look_up(const std::string& host, const std::shared_ptr<Question>& question, int family);
    void answered(const std::string& host, const std::shared_ptr<Question>& question, int family,
                  const Addresses& addresses);

    loop::Loop& m_loop;
    std::shared_ptr<Aside> m_aside;
    Lookup m_lookup;
    std::map<std::string, std::shared_ptr<Question>> m_questions;
    std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace himalaya::net
