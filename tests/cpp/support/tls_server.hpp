// A server of the test's own, on a thread: takes connections on loopback, each handled by a function that reads and
// writes as it likes, with TLS or without, and misbehaves as the test wants. Everything ends with the object.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/ssl.h>

#include "support/certificates.hpp"

namespace himalaya::test {

// One connection, on the server's side. All calls block; after the client has gone they return nothing or false.
class Peer {
  public:
    Peer(int fd, SSL_CTX* context);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    bool start_tls();
    std::string line(); // without CRLF; "" at the end
    bool read(char* data, std::size_t size);
    std::size_t read_some(char* data, std::size_t size);
    bool send(std::string_view text);
    bool send_clear(std::string_view text); // past TLS, straight into the socket
    // Blocks until the client closes.
    void wait_for_end();
    // Ends with a TCP reset.
    void reset();
    void close();
    SSL* ssl() const { return m_ssl; }
    int fd() const { return m_fd; }

  private:
    int m_fd;
    SSL_CTX* m_context;
    SSL* m_ssl = nullptr;
};

class TlsServer {
  public:
    using Handler = std::function<void(Peer&)>;
    struct Options {
        const Certificate* certificate = nullptr; // null: no TLS
        std::string address = "127.0.0.1";
        int min_version = TLS1_2_VERSION;
        int max_version = 0;
    };

    TlsServer(Options options, Handler handler);
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    std::uint16_t port() const { return m_port; }
    int accepted() const { return m_accepted; }

  private:
    void serve();

    Handler m_handler;
    SSL_CTX* m_context = nullptr;
    int m_listener = -1;
    std::uint16_t m_port = 0;
    std::atomic<int> m_accepted = 0;
    std::atomic<bool> m_stopping = false;
    std::mutex m_lock;
    std::vector<int> m_open;
    std::vector<std::thread> m_threads;
    std::thread m_acceptor;
};

} // namespace himalaya::test
