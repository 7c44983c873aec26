// A server that says what a test tells it to, over a real socket on the test's own loop: each command line is given
// to a function by its verb, and what that returns goes back, `%` standing for the tag.
#pragma once

#include "loop/stream.hpp"
#include "support/test_loop.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace himalaya::test {

class ScriptedImap {
  public:
    // What a verb is answered with: "* 3 EXISTS\r\n% OK done\r\n". Empty: nothing at all.
    using Reply = std::function<std::string(const std::string& line)>;

    explicit ScriptedImap(TestLoop& loop,
                          std::string capabilities = "IMAP4rev1 IDLE UIDPLUS MOVE ESEARCH CONDSTORE");
    ~ScriptedImap();

    int port() const;
    void on(const std::string& verb, Reply reply) { m_replies[verb] = std::move(reply); }
    void on(const std::string& verb, std::string reply) {
        m_replies[verb] = [reply = std::move(reply)](const std::string&) { return reply; };
    }
    std::string greeting; // empty: silence
    // To every connection, now.
    void say(const std::string& bytes);
    void cut();

    // Commands of all connections without their tags, in the order they came.
    std::vector<std::string> heard;
    int connections = 0;
    size_t count(const std::string& prefix) const;

  private:
    struct Client;
    void accept();
    void take(Client& client);

    TestLoop& m_loop;
    std::unique_ptr<loop::Tcp> m_listener;
    std::vector<std::shared_ptr<Client>> m_clients;
    std::map<std::string, Reply> m_replies;
};

} // namespace himalaya::test
