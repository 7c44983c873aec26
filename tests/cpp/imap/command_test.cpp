#include "imap/command.hpp"

#include "catch.hpp"

#include <memory>

using namespace himalaya;
using namespace himalaya::imap;

namespace {

using Literals = Dialect::Literals;

std::string sent(const Command& command) {
    const auto wire = command.finish("A1");
    REQUIRE(wire);
    std::string all;
    for (const Wire::Piece& piece : wire->pieces) {
        all += piece.bytes;
        if (piece.wait)
            all += "<wait>";
        if (piece.body)
            all += "<" + *piece.body + ">";
    }
    return all;
}

bool refused(const Command& command) {
    const auto wire = command.finish("A1");
    return !wire && wire.error().code == himalaya::Code::invalid;
}

} // namespace

TEST_CASE("a plain command is one line") {
    CHECK(sent(Command({}, "NOOP")) == "A1 NOOP\r\n");
    CHECK(sent(Command({}, "SELECT").folder("INBOX")) == "A1 SELECT \"INBOX\"\r\n");
    CHECK(sent(Command({}, "UID FETCH").uids({{1, 5}, {9, 9}}).open().raw("FLAGS").raw("UID").close()) ==
          "A1 UID FETCH 1:5,9 (FLAGS UID)\r\n");
    CHECK(
        sent(Command({}, "UID STORE").uids({{1, 1}}).raw("+FLAGS.SILENT").flags({"\\Seen", "$Forwarded"})) ==
        "A1 UID STORE 1 +FLAGS.SILENT (\\Seen $Forwarded)\r\n");
    CHECK(sent(Command({}, "FOO").flags({}).number(7)) == "A1 FOO () 7\r\n");
}

TEST_CASE("quotes and backslashes are escaped") {
    CHECK(sent(Command({}, "SELECT").folder("a\"b\\c")) == "A1 SELECT \"a\\\"b\\\\c\"\r\n");
    CHECK(sent(Command({}, "LOGIN").string("anna").string("p\" LOGOUT")) ==
          "A1 LOGIN \"anna\" \"p\\\" LOGOUT\"\r\n");
}

TEST_CASE("atoms are written bare only when they are atoms") {
    CHECK(sent(Command({}, "X").astring("abc")) == "A1 X abc\r\n");
    CHECK(sent(Command({}, "X").astring("a b")) == "A1 X \"a b\"\r\n");
    CHECK(sent(Command({}, "X").astring("")) == "A1 X \"\"\r\n");
    CHECK(sent(Command({}, "X").astring("NIL")) == "A1 X \"NIL\"\r\n");
    CHECK(sent(Command({}, "X").atom("\\Seen")) == "A1 X \\Seen\r\n");
    CHECK(refused(Command({}, "X").atom("a b")));
    CHECK(refused(Command({}, "X").atom("")));
    CHECK(refused(Command({}, "X").flags({"\\Seen) LOGOUT"})));
    CHECK(refused(Command({}, "X").flags({"a\r\nB LOGOUT"})));
    CHECK(is_flag("a]b"));
    CHECK_FALSE(is_atom("a]b"));
}

TEST_CASE("names are modified UTF-7, or UTF-8 where that was agreed") {
    CHECK(sent(Command({}, "SELECT").folder("Entwürfe & mehr")) == "A1 SELECT \"Entw&APw-rfe &- mehr\"\r\n");
    CHECK(sent(Command({.utf8 = true}, "SELECT").folder("Entwürfe & mehr")) ==
          "A1 SELECT \"Entwürfe & mehr\"\r\n");
    CHECK(sent(Command({}, "SELECT").folder_on_wire("a&b")) == "A1 SELECT \"a&b\"\r\n");
    CHECK(sent(Command({}, "SELECT").folder_on_wire("a\xe9")) == "A1 SELECT {2}\r\n<wait>a\xe9\r\n");
}

TEST_CASE("no name breaks out of its argument") {
    const std::string names[] = {"a\r\nB LOGOUT",
                                 "a\nB",
                                 "\r",
                                 "a\"\r\nB LOGOUT",
                                 "{5}",
                                 "{5}\r\n",
                                 "a {5+}",
                                 "*",
                                 "%",
                                 "(",
                                 ")",
                                 "\\",
                                 "\"",
                                 "]",
                                 "~{3}",
                                 "\x7f",
                                 "\x01"};
    for (const bool utf8 : {false, true}) {
        for (const std::string& name : names) {
            const auto wire =
                Command({.literals = Literals::sync, .utf8 = utf8}, "SELECT").folder(name).finish("A1");
            REQUIRE(wire);
            for (size_t i = 0; i < wire->pieces.size(); i++) {
                const std::string& bytes = wire->pieces[i].bytes;
                // The one line end of a piece is at its end, but for the bytes a literal has announced.
                if (i == 0)
                    CHECK(bytes.find_first_of("\r\n") == bytes.size() - 2);
                else
                    CHECK(bytes == name + "\r\n");
            }
            if (wire->pieces.size() == 2)
                CHECK(wire->pieces[0].bytes == "A1 SELECT {" + std::to_string(name.size()) + "}\r\n");
        }
        CHECK(refused(Command({.utf8 = utf8}, "SELECT").folder(std::string("a\0b", 3))));
    }
    CHECK(refused(Command({}, "LOGIN").string(std::string("a\0b", 3))));
    CHECK(refused(Command({}, "SELECT").folder_on_wire(std::string("\0", 1))));
    CHECK(refused(Command({}, "X").raw("a\r\nb")));
    CHECK(refused(Command({}, "UID SEARCH").raw("SUBJECT {30+}")));
    CHECK(sent(Command({}, "LOGIN").string("a\r\nB LOGOUT")) == "A1 LOGIN {11}\r\n<wait>a\r\nB LOGOUT\r\n");
}

TEST_CASE("literals wait as the server has agreed") {
    const std::string large(5000, 'x');
    CHECK(sent(Command({.literals = Literals::plus}, "X").literal(large)) ==
          "A1 X {5000+}\r\n" + large + "\r\n");
    CHECK(sent(Command({.literals = Literals::minus}, "X").literal(large)) ==
          "A1 X {5000}\r\n<wait>" + large + "\r\n");
    CHECK(sent(Command({.literals = Literals::minus}, "X").literal("abc").atom("d")) ==
          "A1 X {3+}\r\nabc d\r\n");
    CHECK(sent(Command({.literals = Literals::minus}, "X").literal(std::string(4096, 'y')))
              .starts_with("A1 X {4096+}"));
    CHECK(sent(Command({}, "X").literal("abc").literal("de").atom("f")) ==
          "A1 X {3}\r\n<wait>abc {2}\r\n<wait>de f\r\n");
    CHECK(sent(Command({.literals = Literals::plus, .binary = true}, "X").literal8(std::string("a\0", 2))) ==
          std::string("A1 X ~{2+}\r\na\0\r\n", 16));
    CHECK(refused(Command({}, "X").literal8(std::string("a\0", 2))));
    CHECK(refused(Command({}, "X").literal(std::string("a\0", 2))));
}

TEST_CASE("a message of an APPEND is shared, not copied") {
    const auto text = std::make_shared<const std::string>("hello");
    const auto command = Command({}, "APPEND").folder("a").flags({"\\Seen"}).literal_of(text, false);
    CHECK(sent(command) == "A1 APPEND \"a\" (\\Seen) {5}\r\n<wait><hello>\r\n");
    CHECK(command.finish("A1")->pieces[1].body.get() == text.get());
    CHECK(sent(Command({.literals = Literals::plus}, "APPEND")
                   .folder("a")
                   .literal_of(text, false)
                   .literal_of(text, false)) == "A1 APPEND \"a\" {5+}\r\n<hello> {5+}\r\n<hello>\r\n");
    CHECK(sent(Command({.literals = Literals::plus, .binary = true}, "X").literal_of(text, true)) ==
          "A1 X ~{5+}\r\n<hello>\r\n");
    CHECK(refused(Command({}, "X").literal_of(text, true)));
}

TEST_CASE("an empty set is refused, and a tag is ours") {
    CHECK(refused(Command({}, "UID FETCH").uids({})));
    CHECK_FALSE(Command({}, "NOOP").finish("A 1"));
    CHECK_FALSE(Command({}, "NOOP").finish(""));
    CHECK_FALSE(Command({}, "NOOP").finish("A+"));
}

TEST_CASE("sets are split for the server's line") {
    UidSet odd;
    for (uint32_t uid = 1; uid < 5000; uid += 2)
        odd.add(uid);
    for (const std::string& piece : split_for_line(odd, 1000, 40))
        CHECK(piece.size() <= 960);
    CHECK(split_for_line(odd, 10, 40).size() > 1);
}
