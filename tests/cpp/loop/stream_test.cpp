#include "loop/stream.hpp"

#include <map>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.hpp"
#include "catch.hpp"
#include "loop/timer.hpp"
#include "support/deaf_port.hpp"
#include "support/test_loop.hpp"

using namespace himalaya;
using namespace himalaya::loop;

namespace {

sockaddr_in localhost(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

const sockaddr* plain(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

// Two ends of one TCP connection.
struct Pair {
    explicit Pair(test::TestLoop& loop) : listener(loop), client(loop), server(loop) {
        auto address = localhost(0);
        bool accepted = false, connected = false;
        REQUIRE(listener.listen(plain(address), [&](Result<void> result) {
            REQUIRE(result);
            REQUIRE(listener.accept(server));
            accepted = true;
        }));
        address = localhost(listener.port());
        client.connect(plain(address), "the test", [&](std::optional<Error> error) {
            REQUIRE_FALSE(error);
            connected = true;
        });
        REQUIRE(loop.run_until([&] { return accepted && connected; }));
        client.no_delay(true);
        client.keepalive(30, 10, 3);
    }
    Tcp listener;
    Tcp client;
    Tcp server;
};

void burn(std::uint64_t nanoseconds) {
    for (std::uint64_t end = thread_cpu_ns() + nanoseconds; thread_cpu_ns() < end;) {
    }
}

} // namespace

TEST_CASE("bytes go both ways over TCP, and the end is read as an empty span") {
    test::TestLoop loop;
    Pair pair(loop);
    std::string at_server, at_client;
    bool end = false;
    REQUIRE(pair.server.read_start([&](Result<std::span<const char>> bytes) {
        REQUIRE(bytes);
        if (bytes->empty())
            end = true;
        else
            at_server.append(bytes->data(), bytes->size());
    }));
    REQUIRE(pair.client.read_start([&](Result<std::span<const char>> bytes) {
        REQUIRE(bytes);
        at_client.append(bytes->data(), bytes->size());
    }));
    std::vector<std::string> pieces = {"one ", "", "two"};
    pair.client.write(pieces);
    pair.server.write("back");
    REQUIRE(loop.run_until([&] { return at_server == "one two" && at_client == "back"; }));
    REQUIRE(pair.client.bytes_out() == 7);
    REQUIRE(pair.server.bytes_in() == 7);
    bool shut = false;
    pair.client.shutdown([&](std::optional<Error> error) { shut = !error; });
    REQUIRE(loop.run_until([&] { return end && shut; }));
    REQUIRE(pair.client.fd() >= 0);
}

TEST_CASE("a connection that is refused says to whom") {
    test::TestLoop loop;
    test::DeafPort port;
    Tcp tcp(loop);
    auto address = localhost(port.number());
    auto error = loop.run(tcp.connect(plain(address), "mail.example.org", loop.loop().token()));
    REQUIRE(error);
    REQUIRE(error->code == Code::offline);
    REQUIRE(error->message == "Cannot connect to mail.example.org: connection refused.");
    REQUIRE(error->retryable);
}

TEST_CASE("a reader that uses up the budget is heard again only in the next turn") {
    test::TestLoop loop;
    Pair pair(loop);
    constexpr std::size_t TOTAL = 8 << 20;
    std::size_t got = 0;
    std::map<std::uint64_t, int> reads;
    REQUIRE(pair.server.read_start([&](Result<std::span<const char>> bytes) {
        got += bytes->size();
        ++reads[loop.loop().turn()];
        burn(300'000);
    }));
    constexpr std::uint64_t MOST = Budget::LIMIT_NS + 500'000;
    std::uint64_t longest = test::least_of(20, MOST, [&] {
        got = 0;
        pair.client.write(std::string(TOTAL, 'x'));
        loop.loop().budget().reset_figures();
        REQUIRE(loop.run_until([&] { return got == TOTAL; }));
        return loop.loop().budget().longest_ns();
    });
    for (const auto& [turn, count] : reads)
        REQUIRE(count <= 4);
    REQUIRE(longest <= MOST);
}

TEST_CASE("read_stop leaves what comes in the kernel until it is asked for") {
    test::TestLoop loop;
    Pair pair(loop);
    std::size_t got = 0;
    Read read = [&](Result<std::span<const char>> bytes) {
        got += bytes->size();
        pair.server.read_stop();
    };
    REQUIRE(pair.server.read_start(std::move(read)));
    bool written = false;
    pair.client.write(std::string(32 << 20, 'x'), [&](std::optional<Error> error) { written = !error; });
    REQUIRE(loop.run_until([&] { return got > 0; }));
    std::size_t first = got;
    for (int i = 0; i < 50; ++i)
        loop.turn();
    REQUIRE(got == first);
    REQUIRE_FALSE(written);
    REQUIRE(pair.client.unwritten() > 0);
    REQUIRE_FALSE(pair.server.reading());
    REQUIRE(pair.server.read_start([&](Result<std::span<const char>> bytes) { got += bytes->size(); }));
    REQUIRE(loop.run_until([&] { return got == 32 << 20 && written; }));
}

TEST_CASE("a stream may be closed or destroyed in its own callback") {
    test::TestLoop loop;
    Pair pair(loop);
    bool called = false;
    REQUIRE(pair.server.read_start([&](Result<std::span<const char>>) {
        pair.server.close();
        called = true;
    }));
    pair.client.write("x");
    REQUIRE(loop.run_until([&] { return called; }));
    REQUIRE(pair.server.closed());
    REQUIRE_FALSE(pair.server.read_start([](Result<std::span<const char>>) {}));

    auto own = std::make_unique<Pair>(loop);
    bool gone = false;
    REQUIRE(own->server.read_start([&](Result<std::span<const char>>) {
        own.reset();
        gone = true;
    }));
    own->client.write("x");
    REQUIRE(loop.run_until([&] { return gone; }));
}

TEST_CASE("a write that cannot end is told so when the stream is closed") {
    test::TestLoop loop;
    Pair pair(loop);
    std::optional<Error> result;
    pair.client.write(std::string(32 << 20, 'x'), [&](std::optional<Error> error) { result = error; });
    loop.turn();
    pair.client.close();
    REQUIRE(loop.run_until([&] { return result.has_value(); }));
    REQUIRE(result->code == Code::cancelled);

    auto error = loop.run(pair.client.write_all("more", loop.loop().token()));
    REQUIRE(error);
    REQUIRE(error->code == Code::offline);
}

TEST_CASE("a task that waits for a write is let go by a cancel and by the end of the stream") {
    test::TestLoop loop;
    auto pair = std::make_unique<Pair>(loop);
    CancelSource source;
    std::optional<Error> first, second;
    start(pair->client.write_all(std::string(32 << 20, 'x'), source.token()),
          [&](std::optional<Error> error) { first = error; });
    start(pair->client.write_all("y", {}), [&](std::optional<Error> error) { second = error; });
    source.cancel();
    REQUIRE(first);
    REQUIRE_FALSE(second);
    pair.reset();
    REQUIRE(loop.run_until([&] { return second.has_value(); }));
    REQUIRE(second->code == Code::cancelled);
}

TEST_CASE("a peer that is gone ends reading and writing with an error that may be tried again") {
    test::TestLoop loop;
    Pair pair(loop);
    linger now{1, 0};
    setsockopt(pair.server.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    std::optional<Error> failure;
    REQUIRE(pair.client.read_start([&](Result<std::span<const char>> bytes) {
        if (!bytes)
            failure = bytes.error();
    }));
    pair.server.close();
    REQUIRE(loop.run_until([&] { return failure.has_value(); }));
    REQUIRE(failure->code == Code::offline);
    REQUIRE(failure->retryable);
}

TEST_CASE("unix pipes serve and connect") {
    test::TestLoop loop;
    std::string folder = "/tmp/himalaya-pipe-XXXXXX"; // not TMPDIR: a socket's path has 107 bytes
    REQUIRE(mkdtemp(folder.data()));
    std::string path = folder + "/socket";
    Pipe listener(loop), server(loop), client(loop);
    std::string got;
    REQUIRE(listener.listen(path, [&](Result<void>) {
        REQUIRE(listener.accept(server));
        REQUIRE(server.read_start(
            [&](Result<std::span<const char>> bytes) { got.append(bytes->data(), bytes->size()); }));
    }));
    client.connect(path, [&](std::optional<Error> error) {
        REQUIRE_FALSE(error);
        client.write("over a pipe");
    });
    REQUIRE(loop.run_until([&] { return got == "over a pipe"; }));
    bool refused = false;
    Pipe other(loop);
    other.connect(path + ".not", [&](std::optional<Error> error) { refused = error.has_value(); });
    REQUIRE(loop.run_until([&] { return refused; }));
    listener.close();
    unlink(path.c_str());
    rmdir(folder.c_str());
}
