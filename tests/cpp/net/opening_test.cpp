// Getting a connection: who is refused and why, what is given up when, addresses that lead nowhere, resolvers that
// never answer, sessions resumed, byte budgets shared.
#include "net/wire.hpp"

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.hpp"
#include "net/connect.hpp"
#include "net/deflate.hpp"
#include "net/net.hpp"
#include "net/world.hpp"
#include "support/deaf_port.hpp"

using namespace himalaya;
using namespace himalaya::net;
using namespace himalaya::net::tests;

TEST_CASE("servers that cannot be trusted or understood are refused with the reason") {
    World world;
    SECTION("another host") {
        Certificate other =
            make_certificate({.name = "other", .hosts = {"DNS:mail.example.net"}, .issuer = &world.ca});
        TlsServer server({.certificate = &other}, echo());
        Error error = world.refused(world.to(server));
        REQUIRE(error.code == Code::tls);
        REQUIRE(error.message.find("mail.example.net") != std::string::npos);
        REQUIRE(error.message.find("127.0.0.1") != std::string::npos);
    }
    SECTION("the system's list does not know the CA") {
        TlsServer server({.certificate = &world.certificate}, echo());
        WireOptions options = world.to(server);
        options.ca_file.clear();
        REQUIRE(world.refused(options).code == Code::tls);
    }
    SECTION("no TLS at that port") {
        TlsServer server({}, [](Peer& peer) {
            peer.send("* OK ready\r\n");
            peer.wait_for_end();
        });
        Error error = world.refused(world.to(server));
        REQUIRE(error.code == Code::tls);
        REQUIRE(error.hint.find("starttls") != std::string::npos);
    }
    SECTION("closed in the middle of the handshake") {
        TlsServer server({}, [](Peer& peer) {
            char byte;
            peer.read(&byte, 1);
        });
        Error error = world.refused(world.to(server));
        REQUIRE(error.code == Code::offline);
    }
    SECTION("a port where nobody listens") {
        DeafPort port;
        WireOptions options;
        options.host = "127.0.0.1";
        options.port = port.number();
        options.ca_file = world.ca_file.path();
        Error error = world.refused(options);
        REQUIRE(error.code == Code::offline);
        REQUIRE(error.message.find("127.0.0.1:") != std::string::npos);
        REQUIRE_FALSE(error.hint.empty());
    }
    SECTION("a ca_file that is none") {
        TlsServer server({.certificate = &world.certificate}, echo());
        WireOptions options = world.to(server);
        options.ca_file = "/nonexistent/ca.pem";
        REQUIRE(world.refused(options).code == Code::config);
    }
    SECTION("a host that is none") {
        WireOptions options;
        options.host = "no host";
        REQUIRE(world.refused(options).code == Code::config);
    }
}

// Each byte of the first flight takes seconds and belongs to HIMALAYA_SOAK=1; tls_test.cpp cuts the engine at every one.
TEST_CASE("a handshake cut on its way ends in an error, never in a hang") {
    World world;
    // How long the server's first flight is varies by a few bytes with its signatures; past it nothing is cut.
    std::atomic<int> most = 0;
    TlsServer server({.certificate = &world.certificate}, [&](Peer& peer) {
        // A real TLS server behind a pipe that breaks after `most` bytes.
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
            return;
        SSL_CTX* context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate(context, world.certificate.x509.get());
        SSL_CTX_use_PrivateKey(context, world.certificate.key.get());
        std::thread inner([&] {
            SSL* ssl = SSL_new(context);
            SSL_set_fd(ssl, pair[1]);
            SSL_accept(ssl);
            SSL_free(ssl);
            shutdown(pair[1], SHUT_RDWR);
        });
        char bytes[4096];
        std::size_t count = peer.read_some(bytes, sizeof bytes);
        if (count > 0 && ::write(pair[0], bytes, count) > 0) {
            int left = most;
            while (left > 0) {
                ssize_t got = ::read(pair[0], bytes, std::min<std::size_t>(sizeof bytes, std::size_t(left)));
                if (got <= 0 || !peer.send({bytes, std::size_t(got)}))
                    break;
                left -= int(got);
            }
        }
        shutdown(pair[0], SHUT_RDWR);
        inner.join();
        ::close(pair[0]);
        ::close(pair[1]);
        SSL_CTX_free(context);
    });
    const bool each = std::getenv("HIMALAYA_SOAK") != nullptr;
    for (most = 0; most < 700; most += each ? 1 : most < 100 ? 9 : 61) {
        Error error = world.refused(world.to(server));
        REQUIRE((error.code == Code::offline || error.code == Code::tls));
    }
}

TEST_CASE("a server that never answers is given up in time") {
    World world;
    TlsServer server({}, [](Peer& peer) { peer.wait_for_end(); });
    WireOptions options = world.to(server);
    options.timeout_ms = 150;
    Error error = world.refused(options);
    REQUIRE(error.code == Code::timeout);
    REQUIRE(error.message.find("127.0.0.1") != std::string::npos);
    loop::CancelSource source;
    // Another one: whether the first had got as far as to be connected, nobody knows.
    TlsServer silent({}, [](Peer& peer) { peer.wait_for_end(); });
    options = world.to(silent);
    bool ended = false;
    std::optional<Error> reason;
    options.timeout_ms = 60'000;
    auto attempt = [&]() -> loop::Task<void> {
        std::unique_ptr<Wire> wire = co_await Wire::open(*world.net, options, source.token());
    };
    loop::start(attempt(), [&](std::optional<Error> e) {
        reason = std::move(e);
        ended = true;
    });
    REQUIRE(world.loop.run_until([&] { return silent.accepted() == 1; }));
    source.cancel();
    REQUIRE(ended);
    REQUIRE(reason->code == Code::cancelled);
}

TEST_CASE("a second connection resumes the first one's session") {
    World world;
    TlsServer server({.certificate = &world.certificate}, echo());
    for (int i = 0; i < 3; ++i) {
        std::unique_ptr<Wire> wire = world.open(world.to(server));
        REQUIRE(wire->resumed() == (i > 0));
        Reader reader;
        reader.start(*wire); // the tickets come with the first bytes
        wire->write("x");
        REQUIRE(world.loop.run_until([&] { return reader.text == "x"; }));
    }
}

TEST_CASE("a ca_file that changed is read anew") {
    World world;
    TlsServer server({.certificate = &world.certificate}, echo());
    WireOptions options = world.to(server);
    REQUIRE(world.open(options));
    Certificate stranger = make_certificate({.name = "Another CA", .ca = true});
    world.ca_file.rewrite(stranger.pem() + "\n");
    REQUIRE(world.refused(options).code == Code::tls);
}

TEST_CASE("certificates are read once for all who ask meanwhile") {
    World world;
    // Of a pipe a second reader gets nothing.
    std::string pipe = world.ca_file.path() + ".pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    std::vector<std::shared_ptr<TlsContext>> got;
    std::vector<std::optional<Error>> ended;
    auto ask = [&]() -> loop::Task<void> {
        auto asking = world.net->tls(pipe, {});
        got.push_back(co_await asking);
    };
    world.net->expect_tls(pipe);
    for (int i = 0; i < 4; ++i)
        loop::start(ask(), [&](std::optional<Error> error) { ended.push_back(std::move(error)); });
    std::ofstream(pipe) << world.ca.pem();
    REQUIRE(world.loop.run_until([&] { return ended.size() == 4; }));
    ::unlink(pipe.c_str());
    REQUIRE(got.size() == 4);
    REQUIRE(std::set<std::shared_ptr<TlsContext>>(got.begin(), got.end()).size() == 1);
}

TEST_CASE("connections of one account share a byte budget, small writes pass") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
        if (!peer.start_tls())
            return;
        for (int round = 0; round < 2; ++round) {
            peer.line();
            peer.send(std::string(100'000, 'x'));
        }
        peer.wait_for_end();
    });
    auto budget = std::make_shared<Bandwidth>(400);
    WireOptions options = world.to(server);
    options.bandwidth = budget;
    std::unique_ptr<Wire> one = world.open(options), two = world.open(options);
    Reader first, second;
    first.start(*one, false);
    second.start(*two, false);
    std::int64_t before = time::monotonic_ms();
    for (std::size_t round = 1; round <= 2; ++round) {
        one->write("go\r\n");
        two->write("go\r\n");
        REQUIRE(world.loop.run_until(
            [&] { return first.bytes == round * 100'000 && second.bytes == round * 100'000; }));
    }
    // What lies in the kernel is read whole, into debt. It is paid before anything of the second round: 200,000 bytes
    // are 488 ms, of which 250 were saved up. (The loop's clock may be some milliseconds behind this one.)
    REQUIRE(time::monotonic_ms() - before >= 220);
}

TEST_CASE("a resolver that never answers holds nobody") {
    struct Silence {
        std::mutex lock;
        std::condition_variable wake;
        bool over = false;
        std::atomic<int> asked = 0, left = 0;
    };
    auto silence = std::make_shared<Silence>();
    {
        TestLoop loop;
        Net net(loop, [silence](const std::string&, int) -> Result<std::vector<Address>> {
            ++silence->asked;
            std::unique_lock guard(silence->lock);
            silence->wake.wait(guard, [&] { return silence->over; });
            ++silence->left;
            return make_error(Code::offline, "too late");
        });
        WireOptions options;
        options.host = "imap.example.org";
        options.timeout_ms = 100;
        for (int i = 0; i < 3; ++i) {
            std::optional<Error> error;
            try {
                loop.value_of(Wire::open(net, options, {}));
            } catch (const Error& e) {
                error = e;
            }
            REQUIRE(error);
            REQUIRE(error->code == Code::timeout);
        }
        // One question for all, a thread for each family: they have begun by now, or will.
        REQUIRE(loop.run_until([&] { return silence->asked >= 2; }));
    }
    // The loop and all is gone; the threads are not, and what they bring reaches nobody.
    REQUIRE(silence->left == 0);
    {
        std::lock_guard guard(silence->lock);
        silence->over = true;
    }
    silence->wake.notify_all();
    while (silence->left < 2)
        std::this_thread::yield();
    REQUIRE(silence->asked == 2);
}

TEST_CASE("too many stuck look-ups fail at once instead of piling up") {
    auto over = std::make_shared<std::atomic<bool>>(false);
    auto left = std::make_shared<std::atomic<int>>(0);
    {
        TestLoop loop;
        Net net(loop, [over, left](const std::string&, int) -> Result<std::vector<Address>> {
            while (!*over)
                std::this_thread::yield();
            ++*left;
            return make_error(Code::offline, "too late");
        });
        std::vector<Resolver::Ticket> tickets;
        int answers = 0;
        for (int i = 0; i < Aside::MOST / 2 + 1; ++i)
            tickets.push_back(net.resolver().ask(fmt::format("host{}", i),
                                                 [&](int, const Result<std::vector<Address>>& found) {
                                                     REQUIRE_FALSE(found);
                                                     ++answers;
                                                 }));
        REQUIRE(answers == 0);
        REQUIRE(loop.run_until([&] { return answers == 2; }));
        *over = true;
        REQUIRE(loop.run_until([&] { return answers == Aside::MOST + 2; }));
    }
    REQUIRE(*left == Aside::MOST);
}

TEST_CASE("a dead address costs a quarter of a second, not a TCP timeout") {
    World world;
    // A listener whose queue is full: the kernel drops what comes after, as a firewall would.
    int dead = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    TlsServer server({.certificate = &world.certificate}, echo());
    address.sin_port = htons(server.port());
    REQUIRE(bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(dead, 0) == 0);
    std::vector<int> fillers;
    for (int i = 0; i < 3; ++i) {
        fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        (void)::connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    Net net(world.loop, [](const std::string&, int family) -> Result<std::vector<Address>> {
        if (family == AF_INET6)
            return make_error(Code::offline, "no such address");
        return std::vector<Address>{*parse_address("127.0.0.2", 0), *parse_address("127.0.0.1", 0)};
    });
    WireOptions options = world.to(server);
    options.host = "localhost";
    std::int64_t before = time::monotonic_ms();
    std::unique_ptr<Wire> wire = world.loop.value_of(Wire::open(net, options, {}));
    REQUIRE(wire->peer_address() == "127.0.0.1");
    // The loop's clock may be some milliseconds behind this one. (The kernel alone would have taken minutes.)
    REQUIRE(time::monotonic_ms() - before >= static_cast<std::int64_t>(STAGGER_MS) - 20);
    for (int fd : fillers)
        close(fd);
    close(dead);
}

TEST_CASE("an address that refuses makes way for the next at once") {
    World world;
    TlsServer server({.certificate = &world.certificate}, echo());
    DeafPort four("127.0.0.3", server.port()), six("::1", server.port());
    Net net(world.loop, [](const std::string&, int family) -> Result<std::vector<Address>> {
        if (family == AF_INET6)
            return std::vector<Address>{*parse_address("::1", 0)};
        return std::vector<Address>{*parse_address("127.0.0.3", 0), *parse_address("127.0.0.1", 0)};
    });
    WireOptions options = world.to(server);
    options.host = "localhost";
    REQUIRE(world.loop.value_of(Wire::open(net, options, {}))->peer_address() == "127.0.0.1");
    // The system's own resolver knows this name too.
    REQUIRE(world.loop.value_of(Wire::open(*world.net, options, {})));
}
