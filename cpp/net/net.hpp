// What all connections of this Neovim share: the resolver, the certificates we believe, the sessions to
// resume. One is made with the Runtime and costs nothing until the first connection: OpenSSL is started by a
// thread of its own.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "loop/cancel.hpp"
#include "loop/loop.hpp"
#include "loop/once.hpp"
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
    // Loaded at first use, once for all who ask meanwhile, and again when the file has changed. `ca_file` empty: the
    // system's.
    loop::Task<std::shared_ptr<TlsContext>> tls(std::string ca_file, loop::CancelToken token);
    // Begins with that while there is still somebody to connect to.
    void expect_tls(const std::string& ca_file);
    // Without TLS too secrets are wiped and proofs computed: not by the editor's thread that waits for the library.
    loop::Task<void> crypto(loop::CancelToken token);

  private:
    struct Trusted {
        std::shared_ptr<TlsContext> context;
        std::int64_t stamp; // of the file it was read from
    };
    // Under way on a thread.
    struct Loading {
        loop::Gate over;
        std::optional<Result<std::shared_ptr<TlsContext>>> result;
    };

    std::shared_ptr<Loading> load(const std::string& ca_file);

    loop::Loop& m_loop;
    std::shared_ptr<Aside> m_aside;
    Resolver m_resolver;
    std::map<std::string, std::shared_ptr<Trusted>> m_trusted;
    std::map<std::string, std::shared_ptr<Loading>> m_loading;
    bool m_has_crypto = false;
    std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace himalaya::net
