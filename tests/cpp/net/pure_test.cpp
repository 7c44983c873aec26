// The parts of net that are values: byte budget, deflate, names and addresses, the order of connecting.
#include <fmt/format.h>
#include <zlib.h>

#include "catch.hpp"
#include "net/bandwidth.hpp"
#include "net/connect.hpp"
#include "net/deflate.hpp"
#include "net/gathering.hpp"
#include "net/resolver.hpp"

using namespace himalaya;
using namespace himalaya::net;

TEST_CASE("a byte budget holds its rate, saves up a quarter second and no more") {
    Bandwidth budget(100); // 102,400 bytes a second
    REQUIRE(budget.wait_ms(1000) == 0);
    budget.spend(1000, 25'600);
    REQUIRE(budget.wait_ms(1000) == 0);
    budget.spend(1000, 10'240);
    REQUIRE(budget.wait_ms(1000) == 100);
    REQUIRE(budget.wait_ms(1050) == 50);
    REQUIRE(budget.wait_ms(1100) == 0);
    // A night later no more than a quarter of a second has been saved up.
    budget.spend(100'000'000, 25'600);
    REQUIRE(budget.wait_ms(100'000'000) == 0);
    budget.spend(100'000'000, 1024);
    REQUIRE(budget.wait_ms(100'000'000) == 10);
    // A clock that goes back changes nothing.
    REQUIRE(budget.wait_ms(5) == 10);

    // Ten seconds of work take ten seconds, whoever spends.
    Bandwidth shared(64);
    std::uint64_t now = 0, moved = 0;
    while (moved < 640 * 1024) {
        std::uint64_t wait = shared.wait_ms(now);
        if (wait > 0) {
            now += wait;
            continue;
        }
        shared.spend(now, 16 * 1024);
        moved += 16 * 1024;
    }
    REQUIRE(now >= 9'400);
    REQUIRE(now <= 10'100);
}

namespace {

std::string deflated(const std::string& text, int flush = Z_SYNC_FLUSH) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, flush);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

std::string inflated(Inflater& inflater) {
    std::string text;
    char buffer[1000];
    while (true) {
        Result<std::size_t> count = inflater.read(buffer);
        REQUIRE(count);
        if (*count == 0)
            return text;
        text.append(buffer, *count);
    }
}

} // namespace

TEST_CASE("deflate goes both ways, whatever the pieces") {
    std::string text;
    for (int i = 0; i < 3000; ++i)
        text += fmt::format("* {} FETCH (FLAGS (\\Seen))\r\n", i);
    std::string bytes = deflated(text);
    for (std::size_t chunk : {std::size_t(1), std::size_t(13), bytes.size()}) {
        Inflater inflater;
        std::string plain;
        for (std::size_t at = 0; at < bytes.size(); at += chunk) {
            std::string piece = bytes.substr(at, chunk);
            inflater.feed(piece);
            plain += inflated(inflater);
            inflater.keep();
        }
        REQUIRE(plain == text);
    }
    Deflater deflater;
    std::string out;
    deflater.write("a1 NOOP\r\n", out);
    Inflater inflater;
    inflater.feed(out);
    REQUIRE(inflated(inflater) == "a1 NOOP\r\n");
    inflater.keep();
    out.clear();
    deflater.write(text, out);
    inflater.feed(out);
    REQUIRE(inflated(inflater) == text);
}

TEST_CASE("a deflate bomb comes out in steps of what there is room for") {
    std::string bomb = deflated(std::string(64 << 20, 'x'));
    REQUIRE(bomb.size() < 100'000);
    Inflater inflater;
    inflater.feed(bomb);
    char buffer[16 * 1024];
    std::size_t total = 0;
    while (inflater.holds()) {
        Result<std::size_t> count = inflater.read(buffer);
        REQUIRE(count);
        REQUIRE(*count <= sizeof buffer);
        total += *count;
    }
    REQUIRE(total == 64U << 20);
}

TEST_CASE("compressed garbage is an error, and an end is an end") {
    Inflater broken;
    std::string garbage = "\xff\xff\xff not deflate at all";
    broken.feed(garbage);
    char buffer[100];
    REQUIRE(broken.read(buffer).error().code == Code::protocol);
    Inflater ended;
    std::string last = deflated("bye", Z_FINISH);
    ended.feed(last);
    REQUIRE(inflated(ended) == "bye");
    REQUIRE(ended.ended());
}

TEST_CASE("host names become ASCII, and what is none is the user's error") {
    REQUIRE(*to_ascii("imap.example.org") == "imap.example.org");
    REQUIRE(*to_ascii("IMAP.Example.ORG.") == "imap.example.org");
    REQUIRE(*to_ascii("m\xc3\xbcnchen.example") == "xn--mnchen-3ya.example");
    REQUIRE(*to_ascii("M\xc3\x9cNCHEN.example") == "xn--mnchen-3ya.example");
    REQUIRE(*to_ascii("stra\xc3\x9f"
                      "e.example") == "xn--strae-oqa.example");
    REQUIRE(*to_ascii("my_host") == "my_host");
    REQUIRE(*to_ascii("[::1]") == "::1");
    REQUIRE(*to_ascii("127.0.0.1") == "127.0.0.1");
    for (std::string bad :
         {std::string(""), std::string("."), std::string("a b"), std::string("a\r\nb"),
          std::string("a\0b", 3), std::string("host:993"), std::string("a..b"), std::string(".a"),
          std::string(64, 'a'), std::string(254, 'a'), std::string("a/b"), std::string("\xff\xfe"),
          std::string("\xc3\xbc\0x", 4), std::string("user@host")}) {
        Result<std::string> host = to_ascii(bad);
        CAPTURE(bad);
        REQUIRE_FALSE(host);
        REQUIRE(host.error().code == Code::config);
    }
}

TEST_CASE("loopback is told by name and by address") {
    for (std::string_view here :
         {"localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"})
        REQUIRE(is_loopback(here));
    for (std::string_view there :
         {"example.org", "localhost.example.org", "128.0.0.1", "::2", "notlocalhost"})
        REQUIRE_FALSE(is_loopback(there));
}

TEST_CASE("families take turns, IPv6 first, as they come to be known") {
    auto address = [](const char* text) { return *parse_address(text, 993); };
    Candidates candidates;
    candidates.add({address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3")});
    REQUIRE(candidates.next()->text() == "192.0.2.1");
    candidates.add({address("2001:db8::1"), address("2001:db8::2")});
    std::vector<std::string> order;
    while (std::optional<Address> next = candidates.next())
        order.push_back(next->text());
    REQUIRE(order == std::vector<std::string>{"2001:db8::1", "192.0.2.2", "2001:db8::2", "192.0.2.3"});
}

TEST_CASE(
    "a flow is fast by what came in the last milliseconds, and slow again by the first bytes after a rest") {
    Flow flow;
    flow.add(1000, 1 << 20);
    REQUIRE_FALSE(flow.fast()); // the first bytes ever: nobody knows how long they took
    for (std::int64_t now = 1001; now <= 1020; ++now)
        flow.add(now, 16 * 1024);
    REQUIRE_FALSE(flow.fast());
    for (std::int64_t now = 1021; now <= 1040; ++now)
        flow.add(now, 64 * 1024);
    REQUIRE(flow.fast());
    flow.add(1041, 10);
    REQUIRE(flow.fast());
    flow.add(6000, 200);
    REQUIRE_FALSE(flow.fast());
}
