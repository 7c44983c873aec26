// The TLS engine against OpenSSL's own server side, byte by byte and without a socket.
#include "net/tls.hpp"

#include <openssl/ssl.h>

#include "catch.hpp"
#include "net/trust.hpp"
#include "support/certificates.hpp"

using namespace himalaya;
using namespace himalaya::net;
using himalaya::test::Certificate;
using himalaya::test::make_certificate;
using himalaya::test::TemporaryFile;

namespace {

// The other side, over OpenSSL's memory BIOs.
class Server {
  public:
    explicit Server(const Certificate& certificate, int min = TLS1_2_VERSION, int max = 0) {
        m_context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_security_level(m_context, min < TLS1_2_VERSION ? 0 : 1);
        SSL_CTX_set_min_proto_version(m_context, min);
        SSL_CTX_set_max_proto_version(m_context, max);
        SSL_CTX_use_certificate(m_context, certificate.x509.get());
        SSL_CTX_use_PrivateKey(m_context, certificate.key.get());
        SSL_CTX_set_session_id_context(m_context, reinterpret_cast<const unsigned char*>("test"), 4);
        begin();
    }
    ~Server() {
        SSL_free(m_ssl);
        SSL_CTX_free(m_context);
    }

    // Another connection of the same server.
    void begin() {
        SSL_free(m_ssl);
        m_ssl = SSL_new(m_context);
        SSL_set_bio(m_ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(m_ssl);
    }
    void take(const std::string& bytes) { BIO_write(SSL_get_rbio(m_ssl), bytes.data(), int(bytes.size())); }
    std::string give() {
        char* data = nullptr;
        long size = BIO_get_mem_data(SSL_get_wbio(m_ssl), &data);
        std::string bytes(data, static_cast<std::size_t>(size));
        (void)BIO_reset(SSL_get_wbio(m_ssl));
        return bytes;
    }
    bool handshake() { return SSL_do_handshake(m_ssl) == 1; }
    void write(std::string_view text) {
        std::size_t written = 0;
        REQUIRE(SSL_write_ex(m_ssl, text.data(), text.size(), &written) == 1);
    }
    std::string read() {
        std::string text;
        char buffer[4096];
        std::size_t count = 0;
        while (SSL_read_ex(m_ssl, buffer, sizeof buffer, &count) == 1)
            text.append(buffer, count);
        return text;
    }
    void shutdown() { SSL_shutdown(m_ssl); }
    SSL* ssl() { return m_ssl; }

  private:
    SSL_CTX* m_context;
    SSL* m_ssl = nullptr;
};

struct World {
    Certificate ca = make_certificate({.name = "Example CA", .ca = true});
    TemporaryFile ca_file{ca.pem()};
    std::shared_ptr<TlsContext> context = *TlsContext::load(ca_file.path());

    Certificate issue(std::vector<std::string> hosts, int from = -1, int to = 30) {
        return make_certificate(
            {.name = "a server", .hosts = std::move(hosts), .from_days = from, .to_days = to, .issuer = &ca});
    }
};

// Runs both sides until the client is done or has failed, `chunk` bytes at a time.
Result<bool> shake(TlsEngine& engine, Server& server, std::size_t chunk = 1 << 20) {
    for (int i = 0; i < 20; ++i) {
        Result<bool> done = engine.handshake();
        server.take(engine.take_output());
        if (!done || *done) {
            server.handshake();
            return done;
        }
        server.handshake();
        std::string bytes = server.give();
        if (bytes.empty())
            return false;
        for (std::size_t at = 0; at < bytes.size(); at += chunk) {
            std::string piece = bytes.substr(at, chunk);
            engine.feed(piece);
            Result<bool> step = engine.handshake();
            engine.keep();
            if (!step)
                return step;
        }
    }
    return false;
}

Error refusal(World& world, const Certificate& certificate, const std::string& host) {
    Server server(certificate);
    TlsEngine engine(world.context, host, 993);
    Result<bool> done = shake(engine, server);
    REQUIRE_FALSE(done);
    REQUIRE(done.error().code == Code::tls);
    REQUIRE_FALSE(done.error().hint.empty());
    REQUIRE_FALSE(done.error().retryable);
    REQUIRE(done.error().message.find(host) != std::string::npos);
    return done.error();
}

bool says(const Error& error, std::string_view text) {
    return error.message.find(text) != std::string::npos;
}

std::string read_all(TlsEngine& engine) {
    std::string text;
    char buffer[16 * 1024];
    while (true) {
        Result<std::size_t> count = engine.read(buffer);
        REQUIRE(count);
        if (*count == 0)
            return text;
        text.append(buffer, *count);
    }
}

} // namespace

TEST_CASE("TLS goes up and carries bytes both ways, however they are cut") {
    World world;
    Certificate certificate = world.issue({"DNS:imap.example.org"});
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (std::size_t chunk : {std::size_t(1), std::size_t(7), std::size_t(1 << 20)}) {
            Server server(certificate, version, version);
            TlsEngine engine(world.context, "imap.example.org", 993);
            Result<bool> done = shake(engine, server, chunk);
            REQUIRE(done);
            REQUIRE(*done);
            REQUIRE(engine.version() == (version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"));
            REQUIRE(engine.write("a1 NOOP\r\n"));
            server.take(engine.take_output());
            REQUIRE(server.read() == "a1 NOOP\r\n");
            std::string big(100'000, 'x');
            server.write(big);
            std::string bytes = server.give(), plain;
            for (std::size_t at = 0; at < bytes.size(); at += chunk * 100) {
                std::string piece = bytes.substr(at, chunk * 100);
                engine.feed(piece);
                plain += read_all(engine);
                engine.keep();
            }
            REQUIRE(plain == big);
            server.shutdown();
            std::string goodbye = server.give();
            engine.feed(goodbye);
            REQUIRE(read_all(engine).empty());
            REQUIRE(engine.ended());
        }
    }
}

TEST_CASE("what is left of a view that goes away is kept") {
    World world;
    Certificate certificate = world.issue({"DNS:imap.example.org"});
    Server server(certificate);
    TlsEngine engine(world.context, "imap.example.org", 993);
    REQUIRE(*shake(engine, server));
    server.write("first");
    server.write("second");
    std::string bytes = server.give();
    engine.feed(bytes);
    engine.keep();
    bytes.assign(bytes.size(), '!');
    REQUIRE(engine.pending() > 0);
    server.write("third");
    std::string more = server.give();
    engine.feed(more);
    engine.keep();
    more.assign(more.size(), '!');
    REQUIRE(read_all(engine) == "firstsecondthird");
    REQUIRE(engine.pending() == 0);
}

TEST_CASE("each certificate that is refused says which check failed and for whom") {
    World world;
    Error expired = refusal(world, world.issue({"DNS:imap.example.org"}, -20, -10), "imap.example.org");
    REQUIRE(says(expired, "expired on 20"));
    REQUIRE(says(refusal(world, world.issue({"DNS:imap.example.org"}, 5, 10), "imap.example.org"),
                 "not valid before"));
    Certificate own = make_certificate({.name = "imap.example.org", .hosts = {"DNS:imap.example.org"}});
    REQUIRE(says(refusal(world, own, "imap.example.org"), "self-signed"));
    Error other =
        refusal(world, world.issue({"DNS:mail.example.net", "DNS:*.example.com"}), "imap.example.org");
    REQUIRE(says(other, "mail.example.net"));
    REQUIRE(says(other, "another host"));
    Certificate stranger = make_certificate({.name = "Strange\x1b[31m CA", .ca = true});
    Certificate strange = make_certificate(
        {.name = "imap.example.org", .hosts = {"DNS:imap.example.org"}, .issuer = &stranger});
    Error unknown = refusal(world, strange, "imap.example.org");
    REQUIRE(says(unknown, "unknown issuer, Strange?[31m CA"));
    REQUIRE(says(refusal(world, world.issue({"IP:127.0.0.2"}), "127.0.0.1"), "127.0.0.2"));
    REQUIRE(says(refusal(world, world.issue({"DNS:127.0.0.1"}), "127.0.0.1"), "another host"));
}

TEST_CASE("addresses and wildcards of a certificate count, partial wildcards do not") {
    World world;
    auto takes = [&](std::vector<std::string> hosts, const std::string& host) {
        Server server(world.issue(std::move(hosts)));
        TlsEngine engine(world.context, host, 993);
        Result<bool> done = shake(engine, server);
        return done && *done;
    };
    REQUIRE(takes({"IP:127.0.0.1"}, "127.0.0.1"));
    REQUIRE(takes({"IP:::1"}, "::1"));
    REQUIRE(takes({"DNS:*.example.org"}, "imap.example.org"));
    REQUIRE_FALSE(takes({"DNS:im*.example.org"}, "imap.example.org"));
    REQUIRE_FALSE(takes({"DNS:*.example.org"}, "a.b.example.org"));
}

TEST_CASE("a server's own certificate in ca_file is enough") {
    Certificate own = make_certificate({.name = "a box at home", .hosts = {"DNS:imap.example.org"}});
    TemporaryFile file(own.pem());
    std::shared_ptr<TlsContext> context = *TlsContext::load(file.path());
    Server server(own);
    TlsEngine engine(context, "imap.example.org", 993);
    REQUIRE(*shake(engine, server));
    TlsEngine other(context, "imap.example.net", 993);
    Server again(own);
    REQUIRE_FALSE(shake(other, again));
}

TEST_CASE("a ca_file without certificates is the user's error") {
    for (std::string text : {"", "no certificate at all"}) {
        TemporaryFile file(text);
        Result<std::shared_ptr<TlsContext>> context = TlsContext::load(file.path());
        REQUIRE_FALSE(context);
        REQUIRE(context.error().code == Code::config);
        REQUIRE(context.error().message.find(file.path()) != std::string::npos);
    }
    REQUIRE(TlsContext::load("/nonexistent/ca.pem").error().code == Code::config);
}

TEST_CASE("TLS below 1.2 and what is no TLS at all are told apart") {
    World world;
    Certificate certificate = world.issue({"DNS:imap.example.org"});
    Server old(certificate, TLS1_VERSION, TLS1_1_VERSION);
    TlsEngine to_old(world.context, "imap.example.org", 993);
    Result<bool> done = shake(to_old, old);
    REQUIRE_FALSE(done);
    REQUIRE(says(done.error(), "below 1.2"));

    TlsEngine to_plain(world.context, "imap.example.org", 143);
    REQUIRE(to_plain.handshake());
    std::string greeting = "* OK IMAP4rev1 ready\r\n";
    to_plain.feed(greeting);
    Result<bool> plain = to_plain.handshake();
    REQUIRE_FALSE(plain);
    REQUIRE(says(plain.error(), "does not speak TLS"));
    REQUIRE(plain.error().hint.find("starttls") != std::string::npos);
}

TEST_CASE("a handshake cut or broken at any byte never ends as a success") {
    World world;
    Certificate certificate = world.issue({"DNS:imap.example.org"});
    Server server(certificate);
    TlsEngine first(world.context, "imap.example.org", 993);
    REQUIRE(first.handshake());
    server.take(first.take_output());
    server.handshake();
    std::string flight = server.give();
    // The same flight never fits another hello, so each engine fails or waits; none may be done or crash.
    for (std::size_t at = 0; at < flight.size(); ++at) {
        TlsEngine engine(world.context, "imap.example.org", 993);
        REQUIRE(engine.handshake());
        std::string part = flight.substr(0, at);
        engine.feed(part);
        Result<bool> done = engine.handshake();
        REQUIRE_FALSE((done && *done));
        std::string broken = flight;
        broken[at] = static_cast<char>(broken[at] ^ 0x55);
        TlsEngine confused(world.context, "imap.example.org", 993);
        REQUIRE(confused.handshake());
        confused.feed(broken);
        Result<bool> result = confused.handshake();
        REQUIRE_FALSE((result && *result));
    }
}

TEST_CASE("a record broken on the way is an error, and stays one") {
    World world;
    Certificate certificate = world.issue({"DNS:imap.example.org"});
    Server server(certificate);
    TlsEngine engine(world.context, "imap.example.org", 993);
    REQUIRE(*shake(engine, server));
    server.write("* OK ready\r\n");
    std::string bytes = server.give();
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    engine.feed(bytes);
    char buffer[16 * 1024];
    Result<std::size_t> count = std::size_t(0);
    // Session tickets may stand before the broken record.
    do
        count = engine.read(buffer);
    while (count && engine.pending() > 0);
    REQUIRE_FALSE(count);
    REQUIRE(count.error().code == Code::tls);
    REQUIRE_FALSE(engine.read(buffer));
    REQUIRE_FALSE(engine.write("a"));
}

TEST_CASE("the second connection resumes the session of the first") {
    World world;
    Certificate certificate = world.issue({"DNS:imap.example.org"});
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Server server(certificate, version, version);
        std::shared_ptr<TlsContext> context = *TlsContext::load(world.ca_file.path());
        {
            TlsEngine engine(context, "imap.example.org", 993);
            REQUIRE(*shake(engine, server));
            std::string tickets = server.give();
            engine.feed(tickets);
            REQUIRE(read_all(engine).empty());
            REQUIRE_FALSE(engine.resumed());
        }
        for (int again = 0; again < 3; ++again) {
            server.begin();
            CAPTURE(version, again);
            TlsEngine engine(context, "imap.example.org", 993);
            REQUIRE(*shake(engine, server));
            REQUIRE(engine.resumed());
        }
        server.begin();
        TlsEngine other_port(context, "imap.example.org", 994);
        REQUIRE(*shake(other_port, server));
        REQUIRE_FALSE(other_port.resumed());
    }
}

TEST_CASE("channel bindings are those the server sees") {
    World world;
    Certificate certificate = world.issue({"DNS:imap.example.org"});
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Server server(certificate, version, version);
        TlsEngine engine(world.context, "imap.example.org", 993);
        REQUIRE(engine.exporter_binding().empty());
        REQUIRE(*shake(engine, server));
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        X509_digest(certificate.x509.get(), EVP_sha256(), digest, &size);
        REQUIRE(engine.end_point_binding() == std::string(reinterpret_cast<char*>(digest), size));
        std::string theirs(32, '\0');
        REQUIRE(SSL_export_keying_material(server.ssl(), reinterpret_cast<unsigned char*>(theirs.data()), 32,
                                           "EXPORTER-Channel-Binding", 24, nullptr, 0, 1) == 1);
        REQUIRE(engine.exporter_binding() == (version == TLS1_3_VERSION ? theirs : ""));
    }
}
