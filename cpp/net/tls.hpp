// TLS as a pure engine: bytes of the wire in, bytes of the wire out, no socket and no clock. OpenSSL reads
// straight from the caller's buffer and writes into ours, so a record is copied once, when it is decrypted.
//
//   engine.feed(bytes);                  // a view, used until it is drained or kept
//   engine.handshake();                  // until done() or an Error{tls} that says which check failed and
//   for whom while (engine.read(buffer) > 0) ...  // at most one record (16 KiB) at a time
//   engine.write(plain); send(engine.take_output());
//   engine.keep();                       // the fed view is about to go: what is left of it is copied
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/input.hpp"

struct ssl_st;

namespace himalaya::net {

class TlsContext;

class TlsEngine {
  public:
    // `host` as the user knows it: a name (already ASCII) or an address; checked against the certificate and,
    // when it is a name, sent as SNI. `port` only tells servers apart for resumption and messages.
    TlsEngine(std::shared_ptr<TlsContext> context, std::string host, std::uint16_t port);
    TlsEngine(const TlsEngine&) = delete;
    TlsEngine& operator=(const TlsEngine&) = delete;
    ~TlsEngine();

    void feed(std::span<const char> wire_bytes) { m_input.feed(wire_bytes); }
    void keep() { m_input.keep(); }
    const std::string& server() const { return m_server; } // host:port
    // Fed and not yet taken in by OpenSSL.
    std::size_t pending() const { return m_input.size(); }

    // True once the handshake is over; false when it waits for more bytes. Call take_output() after each.
    Result<bool> handshake();
    bool done() const { return m_done; }

    // Plain bytes into `buffer`; 0 when the fed bytes hold no whole record more, or at the end (see ended()).
    Result<std::size_t> read(std::span<char> buffer);
    // The peer said it will send nothing more.
    bool ended() const { return m_ended; }

    Result<void> write(std::string_view plain);
    // Says goodbye; its bytes are in take_output().
    void close_notify();
    std::string take_output();

    bool resumed() const;
    std::string version() const; // "TLSv1.3"
    std::string cipher() const;
    // For SASL's channel binding; empty when there is none to give.
    std::string exporter_binding() const;  // tls-exporter, TLS 1.3
    std::string end_point_binding() const; // tls-server-end-point

  private:
    friend struct TlsCallbacks;
    Error failure();

    std::shared_ptr<TlsContext> m_context;
    std::string m_host;
    std::string m_server; // host:port, the key of its sessions
    ssl_st* m_ssl = nullptr;
    Input m_input;
    std::string m_output;
    std::optional<Error> m_rejected; // what was wrong with the certificate
    bool m_done = false;
    bool m_ended = false;
    std::optional<Error> m_failed;
};

} // namespace himalaya::net
