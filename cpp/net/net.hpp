// What all connections of this Neovim share: the resolver, the certificates we believe, the sessions to
// resume. One is made with the Runtime and costs nothing until the first connection: OpenSSL is started by a
// thread of its own.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "loop/cancel.hpp"
#include "loop/loop.hpp"
#include "loop/task.hpp"
#include "net/resolver.hpp"
#include "net/trust.hpp"

namespace himalaya::net {

class Net {
  public:
    explicit Net(loop::Loop& loop, Resolver::Lookup lookup = {});
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    ~Net();

    loop::Loop& loop() { return m_loop; }
    Resolver& resolver() { return m_resolver; }
    // Loaded at first use, and again when the file has changed. `ca_file` empty: the system's.
    loop::Task<std::shared_ptr<TlsContext>> tls(std::string ca_file, loop::CancelToken token);

  private:
    struct Trusted {
        std::shared_ptr<TlsContext> context;
        std::int64_t stamp; // of the file it was read from
    };

    loop::Loop& m_loop;
    std::shared_ptr<Aside> m_aside;
    Resolver m_resolver;
    std::map<std::string, std::shared_ptr<Trusted>> m_trusted;
    std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace himalaya::net
