#include "catch.hpp"

#include "mail/envelope.hpp"

using namespace himalaya::mail;

TEST_CASE("a header gives what a list shows") {
    auto envelope = read_envelope("Received: from x\r\n\tby y; Tue, 3 Feb 2026 04:05:06 +0000\r\n"
                                  "subject: =?utf-8?q?caf=C3=A9?=\r\n and more\r\n"
                                  "From: \"Berg, Anna\" <anna@example.org>\r\n"
                                  "To: bob@example.org (Bob), list: c@example.org, <d@example.org>;\r\n"
                                  "Cc: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n"
                                  "Date: Tue, 3 Feb 2026 05:05:06 +0100\r\n"
                                  "Message-ID:\r\n <1@example.org>\r\n"
                                  "In-Reply-To: your letter <0@example.org>\r\n"
                                  "References: <a@example.org>\r\n <b@example.org>\r\n"
                                  "\r\nSubject: not this\r\n");
    REQUIRE(envelope.subject == "café and more");
    REQUIRE(envelope.from == Address{"Berg, Anna", "anna@example.org"});
    REQUIRE(envelope.to == std::vector<Address>{{"Bob", "bob@example.org"},
                                                {"", "c@example.org"},
                                                {"", "d@example.org"},
                                                {"Jörg", "joerg@example.org"}});
    REQUIRE(envelope.sent == 1'770'091'506);
    REQUIRE(envelope.message_id == "<1@example.org>");
    REQUIRE(envelope.in_reply_to == "<0@example.org>");
    REQUIRE(envelope.references == std::vector<std::string>{"<a@example.org>", "<b@example.org>"});
}

TEST_CASE("broken headers give what can be read") {
    REQUIRE(read_envelope("").subject.empty());
    REQUIRE(read_envelope(std::string(1000, '\0')).subject.empty());
    REQUIRE(read_envelope("no colon\n folded nothing\nSubject: a").subject == "a");
    REQUIRE(read_envelope("Sender: s@example.org\n\n").from.addr == "s@example.org");
    REQUIRE(parse_addresses("Anna <a@example.org, Bob <b@example.org>", 9).size() == 2);
    REQUIRE(parse_addresses("<@relay,@other:a@example.org>", 9).size() == 1);
    REQUIRE(parse_addresses("undisclosed-recipients:;", 9).empty());
    REQUIRE(parse_addresses("\"open quote, <a@example.org>", 9).size() == 1);
    REQUIRE(parse_addresses("((((", 9).empty());
    REQUIRE(parse_addresses("a\\", 9).size() == 1);
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "a" + std::to_string(i) + "@example.org, ";
    REQUIRE(parse_addresses(many, 100).size() == 100);
}

TEST_CASE("an attachment is told from the headers of the parts") {
    REQUIRE(looks_attached("Content-Disposition: attachment; filename=a.pdf\r\n\r\n"));
    REQUIRE(looks_attached("Subject: a\n\n--b\ncontent-disposition:ATTACHMENT\n\n"));
    REQUIRE(looks_attached("Subject: a\r\n\r\n--b\r\nContent-Disposition:\r\n\t attachment"));
    REQUIRE(looks_attached("Content-Disposition: inline\r\nContent-Disposition: attachment\r\n"));
    REQUIRE_FALSE(looks_attached(""));
    REQUIRE_FALSE(looks_attached("\n\n\n"));
    REQUIRE_FALSE(looks_attached("Content-Disposition:"));
    REQUIRE_FALSE(looks_attached("Content-Disposition: inline; filename=attachment\r\n"));
    REQUIRE_FALSE(looks_attached("he wrote Content-Disposition: attachment\r\n"));
    REQUIRE_FALSE(looks_attached("Content-Dispositions: attachment\r\n"));
}
