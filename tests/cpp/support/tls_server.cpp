#include "support/tls_server.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

namespace himalaya::test {

Peer::Peer(int fd, SSL_CTX* context) : m_fd(fd), m_context(context) {}

Peer::~Peer() {
    SSL_free(m_ssl);
}

bool Peer::start_tls() {
    m_ssl = SSL_new(m_context);
    SSL_set_fd(m_ssl, m_fd);
    ERR_clear_error();
    return SSL_accept(m_ssl) == 1;
}

std::size_t Peer::read_some(char* data, std::size_t size) {
    if (!m_ssl) {
        ssize_t count = ::recv(m_fd, data, size, 0);
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    std::size_t count = 0;
    ERR_clear_error();
    return SSL_read_ex(m_ssl, data, size, &count) == 1 ? count : 0;
}

bool Peer::read(char* data, std::size_t size) {
    while (size > 0) {
        std::size_t count = read_some(data, size);
        if (count == 0)
            return false;
        data += count;
        size -= count;
    }
    return true;
}

std::string Peer::line() {
    std::string text;
    char byte;
    while (read(&byte, 1)) {
        if (byte == '\n')
            return text;
        if (byte != '\r')
            text += byte;
    }
    return text;
}

bool Peer::send_clear(std::string_view text) {
    while (!text.empty()) {
        ssize_t count = ::send(m_fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool Peer::send(std::string_view text) {
    if (!m_ssl)
        return send_clear(text);
    while (!text.empty()) {
        std::size_t count = 0;
        ERR_clear_error();
        if (SSL_write_ex(m_ssl, text.data(), text.size(), &count) != 1)
            return false;
        text.remove_prefix(count);
    }
    return true;
}

void Peer::wait_for_end() {
    char bytes[4096];
    while (read_some(bytes, sizeof bytes) > 0) {
    }
}

void Peer::reset() {
    linger hard{1, 0};
    setsockopt(m_fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    // The owner closes the descriptor right after the handler.
}

void Peer::close() {
    if (m_ssl)
        SSL_shutdown(m_ssl);
    ::shutdown(m_fd, SHUT_RDWR);
}

TlsServer::TlsServer(Options options, Handler handler) : m_handler(std::move(handler)) {
    std::signal(SIGPIPE, SIG_IGN); // SSL_write knows no MSG_NOSIGNAL
    if (options.certificate) {
        m_context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_min_proto_version(m_context, options.min_version);
        SSL_CTX_set_security_level(m_context, options.min_version < TLS1_2_VERSION ? 0 : 1);
        if (options.max_version != 0)
            SSL_CTX_set_max_proto_version(m_context, options.max_version);
        SSL_CTX_use_certificate(m_context, options.certificate->x509.get());
        SSL_CTX_use_PrivateKey(m_context, options.certificate->key.get());
        SSL_CTX_set_session_id_context(m_context, reinterpret_cast<const unsigned char*>("test"), 4);
    }
    bool six = options.address.find(':') != std::string::npos;
    sockaddr_storage address{};
    socklen_t size = six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    address.ss_family = six ? AF_INET6 : AF_INET;
    inet_pton(address.ss_family, options.address.c_str(),
              six ? static_cast<void*>(&reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr)
                  : static_cast<void*>(&reinterpret_cast<sockaddr_in*>(&address)->sin_addr));
    m_listener = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(m_listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(m_listener, 64) != 0)
        throw std::runtime_error("the test's server cannot listen on " + options.address);
    getsockname(m_listener, reinterpret_cast<sockaddr*>(&address), &size);
    m_port = ntohs(six ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                       : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
    m_acceptor = std::thread([this] { serve(); });
}

TlsServer::~TlsServer() {
    m_stopping = true;
    shutdown(m_listener, SHUT_RDWR);
    m_acceptor.join();
    ::close(m_listener);
    {
        std::lock_guard guard(m_lock);
        for (int fd : m_open)
            shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : m_threads)
        thread.join();
    SSL_CTX_free(m_context);
}

void TlsServer::serve() {
    while (!m_stopping) {
        int fd = accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0)
            return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        std::lock_guard guard(m_lock);
        m_open.push_back(fd);
        ++m_accepted;
        m_threads.emplace_back([this, fd] {
            {
                Peer peer(fd, m_context);
                m_handler(peer);
            }
            std::lock_guard closing(m_lock);
            std::erase(m_open, fd);
            ::close(fd);
        });
    }
}

} // namespace himalaya::test
