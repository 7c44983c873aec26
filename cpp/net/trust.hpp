// Which certificates we believe, and the TLS settings made from them. Reading the system's bundle takes about 20 ms
// and starting OpenSSL some more, so both happen on a thread nobody waits for, once, and all connections share what
// comes of it. A `ca_file` stands alone: a server of a private CA is believed for that CA only, not for the system's.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "loop/cancel.hpp"
#include "loop/loop.hpp"
#include "loop/task.hpp"

struct ssl_ctx_st;
struct ssl_session_st;

namespace himalaya::net {

// TLS settings for one set of trusted certificates. Used on the loop's thread only, once made.
class TlsContext {
  public:
    // Blocks: reads files. `ca_file` empty: the system's certificates.
    static Result<std::shared_ptr<TlsContext>> load(const std::string& ca_file);

    explicit TlsContext(ssl_ctx_st* context);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    ssl_ctx_st* get() const { return m_context; }

    // Sessions to resume, newest last, a few per server: TLS 1.3 tickets are used once while there are others.
    void keep_session(const std::string& server, ssl_session_st* session); // takes the reference
    ssl_session_st* take_session(const std::string& server);               // gives the reference; may be null

  private:
    ssl_ctx_st* m_context;
    std::map<std::string, std::vector<ssl_session_st*>> m_sessions;
};

} // namespace himalaya::net
