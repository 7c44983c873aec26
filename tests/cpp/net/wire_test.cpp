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
#include "net/connect.hpp"
#include "net/deflate.hpp"
#include "net/net.hpp"
#include "net/world.hpp"

using namespace himalaya;
using namespace himalaya::net;
using namespace himalaya::net::tests;

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
        for (int i = 0; i < 128; ++i)
            peer.send(piece);
        peer.close();
    });
    loop::Budget& budget = world.loop.loop().budget();
    // The sanitizers lengthen it a lot.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr std::uint64_t SLOWER = 10;
#else
    constexpr std::uint64_t SLOWER = 1;
#endif
    constexpr std::uint64_t MOST = 2 * SLOWER * loop::Budget::LIMIT_NS;
    std::uint64_t longest = test::least_of(20, MOST, [&] {
        std::unique_ptr<Wire> wire = world.open(world.to(server));
        budget.reset_figures();
        Reader reader;
        reader.start(*wire, false);
        REQUIRE(world.loop.run_until([&] { return reader.ended; }));
        REQUIRE(reader.bytes == 32U << 18);
        std::uint64_t over = budget.turns_over() * 100 / budget.turns();
        return SLOWER == 1 && over > 1 ? UINT64_MAX : budget.longest_ns();
    });
    CHECK(longest <= MOST);
}

// The kernel gathers what comes fast, but never holds back the last of it.
TEST_CASE("what ends a fast flow comes though nothing follows it, and so does each short answer after") {
    World world;
    constexpr std::size_t FLOW = 24'000'000;
    TlsServer server({.certificate = &world.certificate}, [&](Peer& peer) {
        if (!peer.start_tls())
            return;
        std::string piece(60'000, 'z');
        while (true) {
            std::string line = peer.line();
            if (line.empty())
                return;
            for (std::size_t sent = 0; line == "all" && sent < FLOW; sent += piece.size())
                if (!peer.send(piece))
                    return;
            peer.send(line + "\r\n");
        }
    });
    std::unique_ptr<Wire> wire = world.open(world.to(server));
    Reader reader;
    reader.start(*wire, false);
    std::size_t wanted = 0;
    for (int round = 0; round < 3; ++round) {
        wire->write("all\r\n");
        wanted += FLOW + 5;
        REQUIRE(world.loop.run_until([&] { return reader.bytes == wanted; }));
        for (int i = 0; i < 20; ++i) {
            wire->write("short\r\n");
            wanted += 7;
            REQUIRE(world.loop.run_until([&] { return reader.bytes == wanted; }));
        }
    }
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
