#include "support/scripted_imap.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <uv.h>

namespace himalaya::test {

struct ScriptedImap::Client {
    explicit Client(loop::Loop& loop) : tcp(loop, "test") {}
    loop::Tcp tcp;
    std::string pending;
    std::string idle_tag;
    bool open = true;
};

ScriptedImap::ScriptedImap(TestLoop& loop, std::string capabilities) : m_loop(loop) {
    greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n";
    on("AUTHENTICATE", "% OK [CAPABILITY " + capabilities + "] in\r\n");
    on("CAPABILITY", "* CAPABILITY " + capabilities + "\r\n% OK\r\n");
    on("SELECT",
       "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\n% OK [READ-WRITE] selected\r\n");
    on("NOOP", "% OK\r\n");
    on("ENABLE", "% OK\r\n");
    on("LOGOUT", "* BYE\r\n% OK\r\n");
    m_listener = std::make_unique<loop::Tcp>(loop.loop(), "test");
    sockaddr_in address{};
    uv_ip4_addr("127.0.0.1", 0, &address);
    m_listener->listen(reinterpret_cast<sockaddr*>(&address), [this](Result<void>) { accept(); }).or_throw();
}

ScriptedImap::~ScriptedImap() = default;

int ScriptedImap::port() const {
    return m_listener->port();
}

void ScriptedImap::accept() {
    auto client = std::make_shared<Client>(m_loop.loop());
    if (!m_listener->accept(client->tcp))
        return;
    ++connections;
    m_clients.push_back(client);
    if (!greeting.empty())
        client->tcp.write(greeting);
    client->tcp
        .read_start([this, weak = std::weak_ptr(client)](Result<std::span<const char>> bytes) {
            auto peer = weak.lock();
            if (!peer)
                return;
            if (!bytes || bytes->empty()) {
                peer->open = false;
                peer->tcp.close();
                return;
            }
            peer->pending.append(bytes->data(), bytes->size());
            take(*peer);
        })
        .or_throw();
}

void ScriptedImap::take(Client& client) {
    for (size_t end; (end = client.pending.find("\r\n")) != std::string::npos;) {
        std::string line = client.pending.substr(0, end);
        client.pending.erase(0, end + 2);
        if (line == "DONE") {
            heard.push_back(line);
            client.tcp.write(client.idle_tag + " OK idled\r\n");
            continue;
        }
        size_t space = line.find(' ');
        std::string tag = line.substr(0, space);
        std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
        heard.push_back(rest);
        std::string verb = rest.substr(0, rest.find(' '));
        if (verb == "UID")
            verb = rest.substr(0, rest.find(' ', 4));
        auto known = m_replies.find(verb);
        std::string reply = known == m_replies.end() ? "% BAD unknown\r\n" : known->second(rest);
        if (verb == "IDLE")
            client.idle_tag = tag;
        size_t at;
        while ((at = reply.find('%')) != std::string::npos)
            reply.replace(at, 1, tag);
        if (!reply.empty() && client.open)
            client.tcp.write(reply);
    }
}

void ScriptedImap::say(const std::string& bytes) {
    for (auto& client : m_clients)
        if (client->open)
            client->tcp.write(bytes);
}

void ScriptedImap::cut() {
    for (auto& client : m_clients) {
        client->open = false;
        client->tcp.close();
    }
}

size_t ScriptedImap::count(const std::string& prefix) const {
    return static_cast<size_t>(
        std::count_if(heard.begin(), heard.end(), [&](auto& line) { return line.starts_with(prefix); }));
}

} // namespace himalaya::test
