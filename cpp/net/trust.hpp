// Which certificates we believe, and the TLS settings made from them. Reading the system's bundle takes about
// 20 ms and starting OpenSSL some more, so both happen on a thread nobody waits for, once, and all
// connections share what comes of it. A `ca_file` stands alone: a server of a private CA is believed for that
// CA only, not for the system's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"

struct ssl_ctx_st;
struct ssl_session_st;

namespace himalaya::net {

// TLS settings for one set of trusted certificates. Used on the loop's thread only, once made.
class TlsContext {
  public:
    // Blocks: reads files. `ca_file` empty: the system's certificates.
    static Result<std::shared_ptr<TlsContext>> load(const std::string& ca_file);

    TlsContext(ssl_ctx_st* context, bool own_ca);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    ssl_ctx_st* get() const { return m_context; }
    bool own_ca() const { return m_own_ca; } // a ca_file, not the system's

    // Sessions to resume, newest last, a few per server: TLS 1.3 tickets are used once while there are
    // others.
    void keep_session(const std::string& server, ssl_session_st* session); // takes the reference
    ssl_session_st* take_session(const std::string& server);               // gives the reference; may be null

  private:
    ssl_ctx_st* m_context;
    bool m_own_ca;
    std::map<std::string, std::vector<ssl_session_st*>> m_sessions;
};

// Has the loader bring OpenSSL in. Blocks: reads files.
void load_crypto();

// Tells one state of a file from another; 0 when there is none. Blocks.
std::int64_t file_stamp(const std::string& path);

} // namespace himalaya::net
