// Chunks, literals on their way to a sink, and input that means harm.
#include "catch.hpp"
#include "imap/dovecot_session.hpp"
#include "imap/reading.hpp"

using namespace reading;

namespace {

const char* const recorded = R"(* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE] ready. {3}
* CAPABILITY IMAP4rev1 QRESYNC
+ idling
* LIST (\HasChildren) "/" {9}
a"b\c (d)
* LIST () "." new ("OLDNAME" ("old"))
* STATUS {3}
a b (MESSAGES 0)
* SEARCH 1 2 3 (MODSEQ 4)
* THREAD (1 (2)(3))
* VANISHED (EARLIER) 1:3
* 1 FETCH (ENVELOPE ("d" {6}
s" \ ") (("n" NIL {1}
m "h")) NIL NIL NIL NIL NIL NIL NIL) BODY[1] {12}
line
* 2 EXI
 UID 8 BODY[2]<5> {0}
 FLAGS (\Seen) BODY[HEADER.FIELDS (A)] ~{4}
A: b)
* 2 FETCH (UID nonsense BODY[] {14}
* 99 EXISTS

)
* this is (not a response
garbage
* 3 EXISTS
A1 OK [COPYUID 1 1:2 3:4] done
A2 BAD {7}
)";

std::vector<std::string> with_sink(const std::string& bytes, size_t chunk) {
    Collector sink;
    auto all = read_all(bytes, chunk, &sink);
    for (const auto& start : sink.starts)
        all.push_back(std::to_string(start.literal) + " " + std::to_string(start.uid.value_or(0)) + " " +
                      start.section + " " + std::to_string(start.size) + " " + sink.literals[start.literal]);
    return all;
}

} // namespace

TEST_CASE("any chunking gives the same result") {
    const std::string own = crlf(recorded);
    const std::string real = crlf(dovecot_session);
    for (const std::string& bytes : {own, real, std::string(recorded)}) {
        const auto whole = read_all(bytes);
        const auto sunk = with_sink(bytes, SIZE_MAX);
        for (const size_t chunk : {1, 2, 3, 4, 5, 7, 11, 13, 64, 100, 1000}) {
            INFO("chunks of " << chunk);
            CHECK(read_all(bytes, chunk) == whole);
            CHECK(with_sink(bytes, chunk) == sunk);
        }
    }
    // Every place to cut in two.
    const auto whole = with_sink(own, SIZE_MAX);
    for (size_t cut = 1; cut < own.size(); cut++) {
        Parser parser;
        Collector sink;
        parser.set_sink(&sink);
        std::vector<std::string> all;
        for (const std::string& piece : {own.substr(0, cut), own.substr(cut)}) {
            parser.feed(piece);
            while (const Response* response = parser.next())
                all.push_back(as_json(*response, sink.literals));
        }
        REQUIRE(all == std::vector<std::string>(whole.begin(), whole.begin() + std::ptrdiff_t(all.size())));
    }
}

TEST_CASE("what Dovecot sends is read without an error") {
    const auto all = read_all(crlf(dovecot_session));
    CHECK(all.size() > 50);
    for (const std::string& one : all)
        CHECK_FALSE(is_error(one));
}

TEST_CASE("the parser can be stopped and the chunk kept") {
    Parser parser;
    auto bytes = std::make_unique<std::string>("* 1 EXISTS\r\n* 2 EXISTS\r\n* 3 EXI");
    parser.feed(*bytes);
    CHECK(std::get<Exists>(*parser.next()).count == 1);
    parser.keep();
    bytes.reset();
    CHECK(std::get<Exists>(*parser.next()).count == 2);
    CHECK(parser.next() == nullptr);
    CHECK(parser.offset() == 31);
    // Feeding before all was read keeps the order, too.
    const std::string more = "STS\r\n* 4 EXISTS\r\n";
    parser.feed(more);
    CHECK(std::get<Exists>(*parser.next()).count == 3);
    const std::string last = "* 5 EXISTS\r\n";
    parser.feed(last);
    CHECK(std::get<Exists>(*parser.next()).count == 4);
    CHECK(std::get<Exists>(*parser.next()).count == 5);
    CHECK(parser.next() == nullptr);
}

TEST_CASE("discard forgets what came before TLS") {
    Parser parser;
    const std::string before = "A1 OK begin TLS\r\n* OK injected\r\nA2 OK inj";
    parser.feed(before);
    CHECK(std::get<Status>(*parser.next()).tag == "A1");
    parser.discard();
    CHECK(parser.next() == nullptr);
    const std::string after = "* CAPABILITY X\r\n";
    parser.feed(after);
    CHECK(std::holds_alternative<Capability>(*parser.next()));
}

TEST_CASE("bodies go to the sink with what is known of them") {
    const std::string bytes =
        crlf("* 4 FETCH (UID 9 FLAGS (\\Seen) BODY[1.2]<100> {5}\nabcde BODY[TEXT] {2}\nxy)\n"
             "* 5 FETCH (BODY[] {3}\n123 UID 10)\n* 6 FETCH (RFC822 {1}\nq)\n");
    for (const size_t chunk : {SIZE_MAX, size_t(1), size_t(6)}) {
        Collector sink;
        Parser parser;
        parser.set_sink(&sink);
        std::vector<std::string> seen;
        std::string_view rest = bytes;
        while (!rest.empty()) {
            parser.feed(rest.substr(0, chunk));
            rest.remove_prefix(std::min(chunk, rest.size()));
            while (const Response* response = parser.next()) {
                const Fetch& fetch = std::get<Fetch>(*response);
                for (const Section& section : fetch.sections) {
                    CHECK(section.streamed);
                    CHECK(is_nil(section.data));
                    CHECK(section.size == sink.literals[section.literal].size());
                    seen.push_back(std::to_string(fetch.uid.value_or(0)) + sink.literals[section.literal]);
                }
            }
        }
        CHECK(seen == std::vector<std::string>{"9abcde", "9xy", "10123", "0q"});
        REQUIRE(sink.starts.size() == 4);
        CHECK(sink.starts[0].fetch);
        CHECK(sink.starts[0].seq == 4);
        CHECK(sink.starts[0].uid == 9u);
        CHECK(sink.starts[0].section == "1.2");
        CHECK(sink.starts[0].origin == 100u);
        CHECK(sink.starts[1].uid == 9u);
        CHECK_FALSE(sink.starts[2].uid.has_value());
        CHECK(sink.starts[3].kind == Section::Kind::rfc822);
        CHECK(sink.ends == std::vector<bool>{true, true, true, true});
    }
}

TEST_CASE("other literals stay in their response, and a sink may want only large ones") {
    Collector large(false);
    const auto all =
        read_all(crlf("* 1 FETCH (ENVELOPE (NIL {3}\nabc NIL NIL NIL NIL NIL NIL NIL NIL) BODY[] {2}\nxy)\n"),
                 SIZE_MAX, &large);
    REQUIRE(all.size() == 1);
    CHECK(large.starts.empty());
    CHECK(all[0].find("\"data\":\"xy\"") != std::string::npos);
    Collector every;
    read_all(
        crlf(
            "* 1 FETCH (ENVELOPE (NIL {3}\nabc NIL NIL NIL NIL NIL NIL NIL NIL) X] {2}\nxy BODY[] {1}\nz)\n"),
        1, &every);
    CHECK(every.starts.size() == 1);
}

TEST_CASE("literals above 256 KiB pass by without a copy") {
    const size_t size = 5u << 20;
    const std::string bytes = "* 1 FETCH (UID 3 BODY[] {" + std::to_string(size) + "}\r\n" +
                              std::string(size, 'x') + ")\r\n* 2 EXISTS\r\n";
    for (const bool sunk : {true, false}) {
        Collector sink(false);
        Parser parser;
        parser.set_sink(sunk ? &sink : nullptr);
        size_t responses = 0;
        for (size_t at = 0; at < bytes.size(); at += 65536) {
            parser.feed(std::string_view(bytes).substr(at, 65536));
            while (const Response* response = parser.next()) {
                responses++;
                if (const auto* fetch = std::get_if<Fetch>(response)) {
                    CHECK(fetch->sections[0].streamed);
                    CHECK(fetch->sections[0].size == size);
                }
            }
            CHECK(parser.memory() < (1u << 20));
        }
        CHECK(responses == 2);
        if (sunk) {
            CHECK(sink.literals[1].size() == size);
            CHECK(sink.starts[0].uid == 3u);
        }
    }
}

TEST_CASE("a stream that ends early says so once") {
    const auto line = read_all("* 1 EXISTS\r\n* 2 EXI");
    REQUIRE(line.size() == 2);
    CHECK(line[1] == "{\"error\":\"the stream ended in the middle of a line\",\"offset\":19}");
    Collector sink;
    const auto literal = read_all("* 1 FETCH (BODY[] {100}\r\nabc", 2, &sink);
    REQUIRE(literal.size() == 1);
    CHECK(literal[0] == "{\"error\":\"the stream ended in the middle of a literal\",\"offset\":28}");
    CHECK(sink.ends == std::vector<bool>{false});
    CHECK(read_all("").empty());
}

TEST_CASE("nesting is bounded") {
    const std::string deep(10000, '(');
    for (const std::string start :
         {"* 1 FETCH (BODYSTRUCTURE ", "* 1 FETCH (X ", "* THREAD ", "* QUOTA ", "* 1 FETCH (ENVELOPE ",
          "* LIST () \"/\" a (X ", "* ESEARCH X ", "A1 OK [X "}) {
        const auto all = read_all(start + deep + "\r\n* 5 EXISTS\r\n");
        REQUIRE(all.size() == 2);
        CHECK((is_error(all[0]) || start.starts_with("A1")));
        CHECK(all[1] == "{\"type\":\"exists\",\"count\":5}");
    }
}

TEST_CASE("a literal of 4 GiB and more is an error at once") {
    for (const char* size :
         {"4294967296", "268435457", "99999999999999999999", "340282366920938463463374607431768211456"}) {
        const auto all = read_all(std::string("* 1 FETCH (BODY[] {") + size + "}\r\n* 2 EXISTS\r\n");
        REQUIRE(all.size() == 2);
        CHECK(all[0] == "{\"error\":\"the literal is larger than allowed\",\"offset\":18,\"lost\":true}");
        CHECK(all[1] == "{\"type\":\"exists\",\"count\":2}");
    }
}

TEST_CASE("an endless line is given up and holds no memory") {
    const std::string piece(65536, 'a');
    Parser parser;
    const std::string start = "* OK ";
    parser.feed(start);
    CHECK(parser.next() == nullptr);
    size_t malformed = 0;
    size_t most = 0;
    for (size_t i = 0; i < 1000; i++) { // 64 MB
        parser.feed(piece);
        while (const Response* response = parser.next())
            malformed += std::holds_alternative<Malformed>(*response);
        most = std::max(most, parser.memory());
    }
    CHECK(malformed == 1);
    CHECK(most <= 20u << 20);
    CHECK(parser.memory() <= 20u << 20);
    const std::string end = "\r\n* 7 EXISTS\r\n";
    parser.feed(end);
    const Response* next = parser.next();
    REQUIRE(next);
    CHECK(std::get<Exists>(*next).count == 7);
}

TEST_CASE("an endless response is given up past its literals") {
    const Limits limits{
        .line = 1000, .response = 5000, .inline_literal = 400, .nesting = 10, .list = 50, .memory = 1u << 20};
    std::string bytes = "* 1 FETCH (";
    for (int i = 0; i < 100; i++)
        bytes += "X {300}\r\n" + std::string(290, 'y') + "\r\n* 1 OK\r\n ";
    bytes += ")\r\n* 3 EXISTS\r\n";
    const auto whole = read_all(bytes, SIZE_MAX, nullptr, limits);
    REQUIRE(whole.size() == 2);
    CHECK(whole[0] == "{\"error\":\"the response is larger than allowed\",\"offset\":0}");
    CHECK(whole[1] == "{\"type\":\"exists\",\"count\":3}");
    for (const size_t chunk : {1, 7, 333})
        CHECK(read_all(bytes, chunk, nullptr, limits) == whole);
    const auto list = read_all(
        "* SEARCH" +
            [] {
                std::string numbers;
                for (int i = 0; i < 100; i++)
                    numbers += " 1";
                return numbers;
            }() +
            "\r\n* 3 EXISTS\r\n",
        SIZE_MAX, nullptr, limits);
    REQUIRE(list.size() == 2);
    CHECK(list[0].find("list is longer") != std::string::npos);
}

TEST_CASE("memory of one response is bounded") {
    const Limits limits{.memory = 256u << 10};
    std::string bytes = "* SEARCH";
    for (int i = 0; i < 200000; i++)
        bytes += " 1";
    const auto all = read_all(bytes + "\r\n* 3 EXISTS\r\n", 65536, nullptr, limits);
    REQUIRE(all.size() == 2);
    CHECK(all[0].find("holds more than allowed") != std::string::npos);
}

TEST_CASE("garbage costs only its own lines") {
    std::string bytes = "HTTP/1.1 400 Bad Request\r\n\r\n";
    for (int i = 1; i < 256; i++)
        if (i != '\n')
            bytes += char(i);
    bytes += "\r\n* \r\n*\r\n+x\r\nA1\r\nA1 \r\nA1 FOO\r\n* 1\r\n* 1 \r\n)\r\n\"\r\n{5}\r\n* 9 EXISTS\r\n";
    const auto all = read_all(bytes);
    REQUIRE(all.size() == 15);
    for (size_t i = 0; i + 1 < all.size(); i++) {
        INFO(all[i]);
        CHECK(is_error(all[i]));
    }
    CHECK(all.back() == "{\"type\":\"exists\",\"count\":9}");
    CHECK(read_all(bytes, 1) == all);
}

TEST_CASE("the text of a status is never a literal") {
    const auto all = read_all("* OK {4}\r\n* BYE {9}\r\nA1 OK {100}\r\n+ {7}\r\n* OK [ALERT] {3+}\r\n");
    REQUIRE(all.size() == 5);
    for (const std::string& one : all)
        CHECK_FALSE(is_error(one));
}
