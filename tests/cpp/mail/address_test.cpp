#include "mail/address.hpp"

#include "catch.hpp"

using namespace himalaya::mail;

TEST_CASE("an address comes out of an envelope") {
    CHECK(address_of("=?utf-8?q?J=C3=BCrgen?=", "j", "example.org") == Address{"Jürgen", "j@example.org"});
    CHECK(address_of("", "j", "") == Address{"", "j"});
}

TEST_CASE("addresses as text") {
    CHECK(full_text(Address{"Anna Berg", "anna@example.org"}) == "Anna Berg <anna@example.org>");
    CHECK(full_text(Address{"Jürgen", "j@example.org"}) == "Jürgen <j@example.org>");
    CHECK(full_text(Address{"Berg, Anna", "anna@example.org"}) == "\"Berg, Anna\" <anna@example.org>");
    CHECK(full_text(Address{"a \"b\" \\", "a@example.org"}) == "\"a \\\"b\\\" \\\\\" <a@example.org>");
    CHECK(full_text(Address{"", "a@example.org"}) == "a@example.org");
    CHECK(full_text(Address{"a@example.org", "a@example.org"}) == "a@example.org");
    CHECK(full_text(std::vector<Address>{{"A", "a@example.org"}, {"", "b@example.org"}}) ==
          "A <a@example.org>, b@example.org");
    CHECK(short_text(Address{"Anna", "a@example.org"}) == "Anna");
    CHECK(short_text(Address{"", "a@example.org"}) == "a@example.org");
}

TEST_CASE("no name ends a header or drives a terminal") {
    const std::string text = full_text(Address{"a\r\nBcc: x\x1b[2J", "a\n@example.org"});
    for (const char c : text)
        CHECK(static_cast<unsigned char>(c) >= 0x20);
}
