#include "net/resolver.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <idn2.h>
#include <netdb.h>
#include <netinet/in.h>

namespace himalaya::net {

std::string Address::text() const {
    char buffer[INET6_ADDRSTRLEN] = "";
    if (family() == AF_INET6)
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, buffer,
                  sizeof buffer);
    else
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, buffer, sizeof buffer);
    return buffer;
}

void Address::set_port(std::uint16_t port) {
    if (family() == AF_INET6)
        reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
    else
        reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
}

void Address::set_bytes(std::string_view bytes) {
    storage.ss_family = bytes.size() == 16 ? AF_INET6 : AF_INET;
    if (family() == AF_INET6)
        std::memcpy(&reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr, bytes.data(), 16);
    else
        std::memcpy(&reinterpret_cast<sockaddr_in*>(&storage)->sin_addr, bytes.data(), 4);
}

std::optional<Address> parse_address(std::string_view text, std::uint16_t port) {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']')
        text = text.substr(1, text.size() - 2);
    std::string terminated(text);
    Address address;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (inet_pton(AF_INET, terminated.c_str(), &v4->sin_addr) == 1)
        v4->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, terminated.c_str(), &v6->sin6_addr) == 1)
        v6->sin6_family = AF_INET6;
    else
        return std::nullopt;
    address.set_port(port);
    return address;
}

namespace {

Error bad_host(std::string_view why) {
    return make_error(Code::config, fmt::format("The host name {}.", why),
                      "Set imap.host to the server's name.");
}

Error no_address(const std::string& host, std::string_view why) {
    return make_error(Code::offline, fmt::format("No address was found for {}: {}.", host, why),
                      "See whether the network is up and imap.host is right.");
}

} // namespace

Result<std::string> to_ascii(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']' && parse_address(host, 0))
        return std::string(host.substr(1, host.size() - 2));
    if (host.ends_with('.'))
        host.remove_suffix(1);
    if (host.empty())
        return bad_host("is empty");
    std::string name(host);
    bool ascii = std::all_of(name.begin(), name.end(), [](unsigned char c) { return c < 128; });
    if (!ascii) {
        std::uint8_t* result = nullptr;
        auto text = reinterpret_cast<const std::uint8_t*>(name.c_str());
        int status = name.find('\0') != std::string::npos
                         ? IDN2_DISALLOWED
                         : idn2_lookup_u8(text, &result, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
        if (status != IDN2_OK)
            return bad_host("is not one that can be looked up");
        name = reinterpret_cast<const char*>(result);
        idn2_free(result);
    }
    if (name.size() > 253)
        return bad_host("is too long");
    std::size_t label = 0;
    for (char& c : name) {
        auto byte = static_cast<unsigned char>(c);
        bool good = std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == ':';
        if (!good)
            return bad_host("has a character in it that no host name has");
        c = static_cast<char>(std::tolower(byte));
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return bad_host("has a part that is too long");
    }
    if (name.find(':') != std::string::npos && !parse_address(name, 0))
        return bad_host("has a colon in it; the port has an option of its own");
    if (name.front() == '.' || name.find("..") != std::string::npos)
        return bad_host("has an empty part");
    return name;
}

bool is_loopback(std::string_view host) {
    if (std::optional<Address> address = parse_address(host, 0)) {
        if (address->family() == AF_INET) {
            auto* v4 = reinterpret_cast<const sockaddr_in*>(&address->storage);
            return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
        }
        return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&address->storage)->sin6_addr);
    }
    std::string name(host);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name.ends_with('.'))
        name.pop_back();
    return name == "localhost" || name.ends_with(".localhost");
}

// One name under way, and everybody who asked for it.
struct Resolver::Question {
    std::int64_t since = 0;
    std::vector<std::weak_ptr<OnAddresses>> askers;
    std::vector<std::pair<int, Addresses>> answers;
};

Resolver::Resolver(loop::Loop& loop, std::shared_ptr<Aside> aside, Lookup lookup)
    : m_loop(loop), m_aside(std::move(aside)), m_lookup(lookup ? std::move(lookup) : Lookup(system_lookup)) {}

Resolver::Ticket Resolver::ask(const std::string& ascii_host, OnAddresses on_addresses) {
    auto ticket = std::make_shared<OnAddresses>(std::move(on_addresses));
    std::shared_ptr<Question>& open = m_questions[ascii_host];
    if (open && open->answers.empty() && m_loop.now_ms() - open->since < STALE_MS) {
        open->askers.push_back(ticket);
        return ticket;
    }
    auto question = std::make_shared<Question>();
    question->since = m_loop.now_ms();
    // Of a stale one its askers come along; one that is half answered goes on by itself.
    if (open && open->answers.empty())
        question->askers.swap(open->askers);
    question->askers.push_back(ticket);
    open = question;
    for (int family : {AF_INET6, AF_INET})
        look_up(ascii_host, question, family);
    return ticket;
}

void Resolver::look_up(const std::string& host, const std::shared_ptr<Question>& question, int family) {
    std::weak_ptr<bool> alive = m_alive;
    // The thread keeps the question, never us. `this` is used on the loop's thread only, while we live.
    auto finish = [this, alive, question, host, family](const Addresses& addresses) {
        if (alive.lock())
            answered(host, question, family, addresses);
    };
    bool started = m_aside->run([lookup = m_lookup, host, family, finish]() -> Aside::Finish {
        return [finish, answer = lookup(host, family)] { finish(answer); };
    });
    if (!started)
        m_loop.defer([finish, host] { finish(no_address(host, "the resolver does not answer")); });
}

void Resolver::answered(const std::string& host, const std::shared_ptr<Question>& question, int family,
                        const Addresses& addresses) {
    question->answers.emplace_back(family, addresses);
    if (question->answers.size() == 2) {
        auto at = m_questions.find(host);
        if (at != m_questions.end() && at->second == question)
            m_questions.erase(at);
    }
    // An asker may drop its ticket and those of others, and destroy us.
    for (std::size_t i = 0; i < question->askers.size(); ++i)
        if (Ticket ticket = question->askers[i].lock())
            (*ticket)(family, addresses);
}

Result<std::vector<Address>> Resolver::system_lookup(const std::string& host, int family) {
    // No AI_ADDRCONFIG: a machine with nothing but loopback would not find `localhost`. An address of a
    // family that leads nowhere fails to connect at once.
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (status != 0)
        return no_address(host, status == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(status));
    std::vector<Address> addresses;
    for (addrinfo* next = found; next; next = next->ai_next) {
        if (next->ai_family != family || next->ai_addrlen > sizeof(sockaddr_storage) ||
            addresses.size() >= 16)
            continue;
        Address address;
        std::memcpy(&address.storage, next->ai_addr, next->ai_addrlen);
        addresses.push_back(address);
    }
    freeaddrinfo(found);
    if (addresses.empty())
        return no_address(host, "no address of this kind");
    return addresses;
}

} // namespace himalaya::net
