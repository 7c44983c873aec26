#include "net/connect.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace himalaya::net {

void Candidates::add(std::vector<Address> addresses) {
    for (Address& address : addresses)
        (address.family() == AF_INET6 ? m_v6 : m_v4).push_back(address);
}

std::optional<Address> Candidates::next() {
    if (empty())
        return std::nullopt;
    bool six = m_v4.empty() || (!m_v6.empty() && m_last_family != AF_INET6);
    std::deque<Address>& queue = six ? m_v6 : m_v4;
    Address address = queue.front();
    queue.pop_front();
    m_last_family = address.family();
    return address;
}

namespace {

// All attempts of one connection. Lives in the frame of connect(), so a cancel closes whatever is under way.
class Race {
  public:
    Race(loop::Loop& loop, Resolver& resolver, std::string host, std::uint16_t port)
        : m_loop(loop), m_resolver(resolver), m_host(std::move(host)), m_port(port), m_stagger(loop, "net"),
          m_delay(loop, "net") {}
    Race(const Race&) = delete;
    Race& operator=(const Race&) = delete;

    void begin() {
        if (std::optional<Address> address = parse_address(m_host, m_port)) {
            m_candidates.add({*address});
            m_waiting_for = 0;
            attempt();
            return;
        }
        m_waiting_for = 2;
        m_ticket = m_resolver.ask(m_host, [this](int family, const Result<std::vector<Address>>& addresses) {
            on_addresses(family, addresses);
        });
    }

    loop::Once<Connected>& won() { return m_won; }

  private:
    struct Attempt {
        std::unique_ptr<loop::Tcp> tcp;
        Address address;
    };

    void on_addresses(int family, const Result<std::vector<Address>>& addresses) {
        --m_waiting_for;
        if (addresses) {
            std::vector<Address> with_port = *addresses;
            for (Address& address : with_port)
                address.set_port(m_port);
            m_candidates.add(std::move(with_port));
        } else if (!m_no_address) {
            m_no_address = addresses.error();
        }
        if (m_started || m_waiting_for == 0 || (family == AF_INET6 && addresses)) {
            m_delay.stop();
            // Under way already: the stagger goes on as it is, unless nothing is left to wait for.
            if (!m_started || m_attempts.empty())
                attempt();
            else if (!m_stagger.active())
                schedule();
        } else if (addresses) {
            m_delay.start(RESOLUTION_DELAY_MS, 0, [this] { attempt(); });
        }
    }

    void attempt() {
        m_stagger.stop();
        std::optional<Address> address = m_candidates.next();
        if (!address) {
            if (m_attempts.empty() && m_waiting_for == 0)
                fail();
            return;
        }
        m_started = true;
        auto tcp = std::make_unique<loop::Tcp>(m_loop, "net");
        loop::Tcp* connecting = tcp.get();
        m_attempts.push_back({std::move(tcp), *address});
        schedule();
        // May call back from inside when there is no route.
        connecting->connect(address->get(), fmt::format("{}:{}", m_host, m_port),
                            [this, connecting](std::optional<Error> error) {
                                if (error)
                                    failed(connecting, std::move(*error));
                                else
                                    connected(connecting);
                            });
    }

    void schedule() {
        if (!m_candidates.empty())
            m_stagger.start(STAGGER_MS, 0, [this] { attempt(); });
    }

    void failed(loop::Tcp* tcp, Error error) {
        // What is told in the end is that an address refused: others often only add "no route".
        if (!m_refused || error.message.find("refused") != std::string::npos)
            m_refused = std::move(error);
        auto at = std::find_if(m_attempts.begin(), m_attempts.end(),
                               [tcp](const Attempt& attempt) { return attempt.tcp.get() == tcp; });
        if (at == m_attempts.end())
            return;
        // Its own callback is running: it goes when that is over.
        m_over.push_back(std::move(at->tcp));
        m_attempts.erase(at);
        attempt();
    }

    void connected(loop::Tcp* tcp) {
        auto at = std::find_if(m_attempts.begin(), m_attempts.end(),
                               [tcp](const Attempt& attempt) { return attempt.tcp.get() == tcp; });
        Connected result{std::move(at->tcp), at->address};
        m_attempts.clear();
        m_ticket.reset();
        m_stagger.stop();
        m_delay.stop();
        m_won.fulfil(std::move(result)); // we may be gone after this
    }

    void fail() {
        Error error = m_refused      ? *m_refused
                      : m_no_address ? *m_no_address
                                     : make_error(Code::offline, fmt::format("{} has no address.", m_host));
        if (error.code != Code::timeout && error.code != Code::busy)
            error.code = Code::offline; // EACCES of a firewall, EINVAL of a link-local address
        if (error.hint.empty())
            error.hint = "See whether the network is up and imap.host and imap.port are right.";
        error.retryable = passes_by_itself(error.code);
        m_won.fulfil(std::move(error));
    }

    loop::Loop& m_loop;
    Resolver& m_resolver;
    std::string m_host;
    std::uint16_t m_port;
    int m_waiting_for = 0;
    bool m_started = false;
    Candidates m_candidates;
    std::vector<Attempt> m_attempts;
    std::vector<std::unique_ptr<loop::Tcp>> m_over;
    std::optional<Error> m_no_address;
    std::optional<Error> m_refused;
    loop::Timer m_stagger;
    loop::Timer m_delay;
    Resolver::Ticket m_ticket;
    loop::Once<Connected> m_won;
};

} // namespace

loop::Task<Connected> connect(loop::Loop& loop, Resolver& resolver, std::string host, std::uint16_t port,
                              loop::CancelToken token) {
    token.throw_if_cancelled();
    Race race(loop, resolver, std::move(host), port);
    race.begin();
    Connected connected = co_await race.won().wait(token);
    tune(*connected.tcp);
    co_return connected;
}

void tune(loop::Tcp& tcp) {
    tcp.no_delay(true);
    tcp.keepalive(30, 10, 3);
#ifdef TCP_USER_TIMEOUT
    // Keepalive is silent while something sent is unacknowledged, which TCP alone would wait 15 minutes for.
    int milliseconds = 60'000;
    setsockopt(tcp.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
#endif
}

} // namespace himalaya::net
