// A Wire on a real loop against real servers on threads: TLS, STARTTLS, DEFLATE, backpressure, and peers that stall,
// cut, reset and lie.
#include "net/wire.hpp"

#include <condition_variable>
#include <thread>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.hpp"
#include "catch.hpp"
#include "net/connect.hpp"
#include "net/deflate.hpp"
#include "net/net.hpp"
#include "support/test_loop.hpp"
#include "support/tls_server.hpp"

using namespace himalaya;
using namespace himalaya::net;
using namespace himalaya::test;

namespace {

struct World {
    Certificate ca = make_certificate({.name = "Example CA", .ca = true});
    TemporaryFile ca_file{ca.pem()};
    Certificate certificate = make_certificate(
        {.name = "localhost", .hosts = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"}, .issuer = &ca});
    TestLoop loop;
    std::unique_ptr<Net> net = std::make_unique<Net>(loop);

    WireOptions to(const TlsServer& server, Security security = Security::implicit) {
        WireOptions options;
        options.host = "127.0.0.1";
        options.port = server.port();
        options.security = security;
        options.ca_file = ca_file.path();
        options.timeout_ms = 20'000;
        return options;
    }
    std::unique_ptr<Wire> open(WireOptions options) {
        return loop.value_of(Wire::open(*net, std::move(options), {}));
    }
    Error refused(WireOptions options, loop::CancelToken token = {}) {
        try {
            loop.value_of(Wire::open(*net, std::move(options), token));
        } catch (const Error& error) {
            return error;
        }
        FAIL("it connected");
        return {};
    }
};

// What a reader got.
struct Reader {
    std::string text;
    std::size_t bytes = 0;
    bool ended = false;
    std::optional<Error> error;

    void start(Wire& wire, bool keep = true) {
        wire.read_start(
            [this, keep](std::span<const char> view) {
                bytes += view.size();
                if (keep)
                    text.append(view.data(), view.size());
            },
            [this](std::optional<Error> reason) {
                ended = true;
                error = std::move(reason);
            });
    }
};

TlsServer::Handler echo() {
    return [](Peer& peer) {
        if (!peer.start_tls())
            return;
        char bytes[16 * 1024];
        while (std::size_t count = peer.read_some(bytes, sizeof bytes))
            if (!peer.send({bytes, count}))
                return;
    };
}

} // namespace

TEST_CASE("bytes go there and back over TLS, and both sides count them") {
    World world;
    TlsServer server({.certificate = &world.certificate}, echo());
    std::unique_ptr<Wire> wire = world.open(world.to(server));
    REQUIRE(wire->encrypted());
    REQUIRE(wire->tls_version() == "TLSv1.3");
    REQUIRE(wire->peer_address() == "127.0.0.1");
    REQUIRE(wire->exporter_binding().size() == 32);
    Reader reader;
    reader.start(*wire);
    wire->write("a1 NOOP\r\n");
    REQUIRE(world.loop.run_until([&] { return reader.text == "a1 NOOP\r\n"; }));
    std::string large(3'000'000, 'y');
    wire->write(std::string(large));
    REQUIRE(world.loop.run_until([&] { return reader.text.size() == large.size() + 9; }));
    REQUIRE(wire->unsent() == 0);
    REQUIRE(reader.text.substr(9) == large);
    REQUIRE(wire->stats().bytes_in > large.size());
    REQUIRE(wire->stats().bytes_out > large.size());
}

TEST_CASE("keepalive finds a dead peer within a minute") {
    World world;
    TlsServer server({}, [](Peer& peer) { peer.wait_for_end(); });
    Connected connected =
        world.loop.value_of(connect(world.loop, world.net->resolver(), "127.0.0.1", server.port(), {}));
    auto option = [&](int level, int name) {
        int value = 0;
        socklen_t size = sizeof value;
        REQUIRE(getsockopt(connected.tcp->fd(), level, name, &value, &size) == 0);
        return value;
    };
    REQUIRE(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
    REQUIRE(option(IPPROTO_TCP, TCP_KEEPINTVL) == 10);
    REQUIRE(option(IPPROTO_TCP, TCP_KEEPCNT) == 3);
#ifdef TCP_KEEPIDLE
    REQUIRE(option(IPPROTO_TCP, TCP_KEEPIDLE) == 30);
    REQUIRE(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 60'000);
#endif
    REQUIRE(option(IPPROTO_TCP, TCP_NODELAY) == 1);
}

TEST_CASE("round trips are writes that had to wait for a reply") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
        if (!peer.start_tls() || !peer.send("* OK ready\r\n"))
            return;
        for (int i = 0; i < 3; ++i) { // two commands at once, then one
            peer.line();
            if (i > 0)
                peer.send("done\r\n");
        }
        peer.wait_for_end();
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server));
    Reader reader;
    reader.start(*wire);
    REQUIRE(world.loop.run_until([&] { return reader.text == "* OK ready\r\n"; }));
    REQUIRE(wire->stats().round_trips == 2); // hello and finished
    wire->write("a1 X\r\n");
    wire->write("a2 Y\r\n");
    REQUIRE(world.loop.run_until([&] { return reader.text.ends_with("ready\r\ndone\r\n"); }));
    REQUIRE(wire->stats().round_trips == 3);
    wire->write("a3 Z\r\n");
    REQUIRE(world.loop.run_until([&] { return reader.text.ends_with("done\r\ndone\r\n"); }));
    REQUIRE(wire->stats().round_trips == 4);
}

TEST_CASE("a reader that stops gets nothing more until it goes on, and the server is held") {
    World world;
    std::atomic<std::size_t> sent = 0;
    constexpr std::size_t TOTAL = 64 << 20;
    TlsServer server({.certificate = &world.certificate}, [&](Peer& peer) {
        if (!peer.start_tls())
            return;
        std::string piece(64 * 1024, 'z');
        while (sent < TOTAL && peer.send(piece))
            sent += piece.size();
        peer.close();
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server));
    std::size_t bytes = 0;
    bool ended = false;
    wire->read_start(
        [&](std::span<const char> view) {
            bytes += view.size();
            if (bytes < (1 << 20))
                return;
            if (bytes - view.size() < (1 << 20))
                wire->read_stop();
        },
        [&](std::optional<Error>) { ended = true; });
    REQUIRE(world.loop.run_until([&] { return bytes >= (1 << 20); }));
    std::size_t stopped_at = bytes;
    // The server comes to a halt: the same figure after many turns.
    std::size_t before = 0;
    REQUIRE(world.loop.run_until([&] {
        static int calm = 0;
        calm = sent == before ? calm + 1 : 0;
        before = sent;
        return calm > 20;
    }));
    REQUIRE(bytes == stopped_at);
    REQUIRE(sent < TOTAL);
    wire->read_resume();
    REQUIRE(world.loop.run_until([&] { return ended; }));
    REQUIRE(bytes == TOTAL);
}

TEST_CASE("no turn of the loop is longer than the budget allows while megabytes come in") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [&](Peer& peer) {
        if (!peer.start_tls())
            return;
        std::string piece(64 * 1024, 'z');
        for (int i = 0; i < 512; ++i)
            peer.send(piece);
        peer.close();
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server));
    Reader reader;
    reader.start(*wire, false);
    REQUIRE(world.loop.run_until([&] { return reader.ended; }));
    REQUIRE(reader.bytes == 32U << 20);
    // Many turns, not one: the editor had its own in between.
    REQUIRE(world.loop.loop().budget().turns() > 10);
}

TEST_CASE("STARTTLS throws away what came in the clear before it") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
        peer.send("* OK ready\r\n");
        if (peer.line() != "a1 STARTTLS")
            return;
        // The OK and an injected response in one packet.
        peer.send("a1 OK go\r\n* CAPABILITY IMAP4rev1 INJECTED\r\na2 OK injected\r\n");
        if (!peer.start_tls())
            return;
        std::string line = peer.line();
        peer.send("real " + line + "\r\n");
        peer.wait_for_end();
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server, Security::starttls));
    REQUIRE_FALSE(wire->encrypted());
    std::string text;
    bool up = false;
    std::optional<Error> failed;
    auto switch_over = [&]() -> loop::Task<void> {
        text.clear(); // the reader drops what it holds
        co_await wire->start_tls({});
    };
    wire->read_start(
        [&](std::span<const char> view) {
            text.append(view.data(), view.size());
            if (text == "* OK ready\r\n")
                wire->write("a1 STARTTLS\r\n");
            else if (text.find("a1 OK") != std::string::npos)
                loop::start(switch_over(), [&](std::optional<Error> error) {
                    failed = std::move(error);
                    up = true;
                });
        },
        [](std::optional<Error>) {});
    REQUIRE(world.loop.run_until([&] { return up; }));
    REQUIRE_FALSE(failed);
    REQUIRE(wire->encrypted());
    wire->write("a2 NOOP\r\n");
    REQUIRE(world.loop.run_until([&] { return text == "real a2 NOOP\r\n"; }));
}

TEST_CASE("bytes held back when TLS starts are discarded and counted") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
        peer.send(std::string(40'000, 'i'));
        char byte;
        if (peer.read(&byte, 1) && peer.start_tls())
            peer.send("safe");
        peer.wait_for_end();
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server, Security::starttls));
    std::string text;
    wire->read_start(
        [&](std::span<const char> view) {
            text.append(view.data(), view.size());
            wire->read_stop();
        },
        [](std::optional<Error>) {});
    REQUIRE(world.loop.run_until([&] { return !text.empty(); }));
    std::size_t seen = text.size();
    wire->write("x");
    std::optional<Error> error = world.loop.run(wire->start_tls({}));
    if (!error) { // everything had been read from the kernel before TLS began
        REQUIRE(wire->stats().discarded == 40'000 - seen);
        wire->read_resume();
        REQUIRE(world.loop.run_until([&] { return text.size() == seen + 4; }));
        REQUIRE(text.substr(seen) == "safe");
    } else { // injected bytes met the handshake, which refuses them
        REQUIRE(error->code == Code::tls);
    }
}

TEST_CASE("DEFLATE works over TLS, from the byte behind the OK") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
        if (!peer.start_tls() || peer.line() != "a1 COMPRESS DEFLATE")
            return;
        Deflater deflater;
        Inflater inflater;
        std::string out = "a1 OK\r\n", plain;
        deflater.write("* 1 EXISTS\r\n", out); // right behind the OK, in the same record
        peer.send(out);
        char bytes[4096], text[4096];
        while (std::size_t count = peer.read_some(bytes, sizeof bytes)) {
            inflater.feed({bytes, count});
            while (true) {
                Result<std::size_t> got = inflater.read(text);
                if (!got || *got == 0)
                    break;
                plain.append(text, *got);
            }
            if (!plain.ends_with("\r\n"))
                continue;
            out.clear();
            deflater.write(std::string(5 << 20, 'b') + plain, out);
            plain.clear();
            peer.send(out);
        }
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server));
    std::string text;
    wire->read_start(
        [&](std::span<const char> view) {
            text.append(view.data(), view.size());
            if (text.starts_with("a1 OK\r\n")) {
                std::string behind = text.substr(7);
                text.clear();
                wire->start_deflate(behind);
            }
        },
        [](std::optional<Error>) {});
    wire->write("a1 COMPRESS DEFLATE\r\n");
    REQUIRE(world.loop.run_until([&] { return text == "* 1 EXISTS\r\n"; }));
    REQUIRE(wire->compressed());
    std::uint64_t before = wire->stats().bytes_in;
    wire->write("a2 NOOP\r\n");
    REQUIRE(world.loop.run_until([&] { return text.size() == 12 + (5U << 20) + 9; }));
    REQUIRE(text.ends_with("ba2 NOOP\r\n"));
    REQUIRE(wire->stats().bytes_in - before < 100'000);
}

TEST_CASE("the end of a connection is told once, as what it was") {
    World world;
    SECTION("a clean end") {
        TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
            if (peer.start_tls())
                peer.send("* BYE\r\n");
            peer.close();
        });
        std::unique_ptr<Wire> wire = world.open(world.to(server));
        Reader reader;
        reader.start(*wire);
        REQUIRE(world.loop.run_until([&] { return reader.ended; }));
        REQUIRE_FALSE(reader.error);
        REQUIRE(reader.text == "* BYE\r\n");
    }
    SECTION("a reset") {
        TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
            if (peer.start_tls())
                peer.line();
            peer.reset();
        });
        std::unique_ptr<Wire> wire = world.open(world.to(server));
        Reader reader;
        reader.start(*wire);
        wire->write("a1 X\r\n");
        REQUIRE(world.loop.run_until([&] { return reader.ended; }));
        // libuv tells a reset that comes with a hang-up after a short read as a plain end.
        if (reader.error) {
            REQUIRE(reader.error->code == Code::offline);
            REQUIRE(reader.error->retryable);
        }
    }
    SECTION("garbage in the middle of TLS") {
        TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
            if (peer.start_tls())
                peer.send_clear("this is no TLS record at all");
            peer.wait_for_end();
        });
        std::unique_ptr<Wire> wire = world.open(world.to(server));
        Reader reader;
        reader.start(*wire);
        REQUIRE(world.loop.run_until([&] { return reader.ended; }));
        REQUIRE(reader.error->code == Code::tls);
    }
    SECTION("who waits for the writes is told too") {
        TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
            if (peer.start_tls())
                peer.line();
            peer.reset();
        });
        std::unique_ptr<Wire> wire = world.open(world.to(server));
        Reader reader;
        reader.start(*wire);
        wire->write("a1\r\n");
        wire->write(std::string(20 << 20, 'x'));
        std::optional<Error> error = world.loop.run(wire->drained(0, {}));
        REQUIRE(error);
        REQUIRE(error->code == Code::offline);
    }
}

TEST_CASE("a wire may be destroyed by its own reader") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
        if (peer.start_tls())
            peer.send(std::string(200'000, 'x'));
        peer.wait_for_end();
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server));
    int calls = 0;
    wire->read_start(
        [&](std::span<const char>) {
            ++calls;
            wire.reset();
        },
        [&](std::optional<Error>) { calls += 100; });
    REQUIRE(world.loop.run_until([&] { return !wire; }));
    for (int i = 0; i < 10; ++i)
        world.loop.turn();
    REQUIRE(calls == 1);
}

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
        WireOptions options;
        {
            TlsServer server({}, [](Peer&) {});
            options = world.to(server);
        }
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

TEST_CASE("a handshake cut at every byte ends in an error, never in a hang") {
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
    for (most = 0; most < 700; most += most < 100 ? 9 : 61) {
        Error error = world.refused(world.to(server));
        REQUIRE((error.code == Code::offline || error.code == Code::tls));
    }
}

TEST_CASE("a server that never answers is given up in time") {
    World world;
    TlsServer server({}, [](Peer& peer) { peer.wait_for_end(); });
    WireOptions options = world.to(server);
    options.timeout_ms = 150;
    std::int64_t before = time::monotonic_ms();
    Error error = world.refused(options);
    REQUIRE(error.code == Code::timeout);
    REQUIRE(error.message.find("127.0.0.1") != std::string::npos);
    REQUIRE(time::monotonic_ms() - before < 5'000);
    loop::CancelSource source;
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
    REQUIRE(world.loop.run_until([&] { return server.accepted() == 2; }));
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

TEST_CASE("connections of one account share a byte budget, small writes pass") {
    World world;
    TlsServer server({.certificate = &world.certificate}, [](Peer& peer) {
        if (!peer.start_tls())
            return;
        peer.line();
        peer.send(std::string(150'000, 'x'));
        peer.wait_for_end();
    });
    auto budget = std::make_shared<Bandwidth>(400); // 300,000 bytes: 0.25 s saved up, 0.5 s to wait
    WireOptions options = world.to(server);
    options.bandwidth = budget;
    std::unique_ptr<Wire> one = world.open(options), two = world.open(options);
    Reader first, second;
    first.start(*one, false);
    second.start(*two, false);
    std::int64_t before = time::monotonic_ms();
    one->write("go\r\n");
    two->write("go\r\n");
    REQUIRE(world.loop.run_until([&] { return first.bytes == 150'000 && second.bytes == 150'000; }));
    REQUIRE(time::monotonic_ms() - before >= 250);
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
        REQUIRE(silence->asked == 2); // one question for all, a thread for each family
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
    int dead = socket(AF_INET, SOCK_STREAM, 0);
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
    REQUIRE(time::monotonic_ms() - before >= static_cast<std::int64_t>(STAGGER_MS));
    REQUIRE(time::monotonic_ms() - before < 5'000);
    for (int fd : fillers)
        close(fd);
    close(dead);
}

TEST_CASE("an address that refuses makes way for the next at once") {
    World world;
    TlsServer server({.certificate = &world.certificate}, echo());
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
