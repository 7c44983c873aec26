#include "imap/query_keys.hpp"

#include "catch.hpp"

using namespace himalaya;
using namespace himalaya::imap;

namespace {

std::string keys(std::string_view text, bool gmail = false) {
    const auto query = mail::parse_query(text);
    REQUIRE(query);
    Command command({}, "UID SEARCH");
    put_query(command, *query, gmail);
    const auto wire = command.finish("A");
    REQUIRE(wire);
    std::string all;
    for (const Wire::Piece& piece : wire->pieces)
        all += piece.bytes;
    REQUIRE(all.starts_with("A UID SEARCH "));
    return all.substr(13, all.size() - 15);
}

} // namespace

TEST_CASE("a query becomes keys that all must hold") {
    CHECK(keys("") == "ALL");
    CHECK(keys("lunch") == "OR SUBJECT \"lunch\" OR FROM \"lunch\" OR TO \"lunch\" CC \"lunch\"");
    CHECK(keys("from:anna subject:\"next week\"") == "FROM \"anna\" SUBJECT \"next week\"");
    CHECK(keys("to:team") == "OR TO \"team\" CC \"team\"");
    CHECK(keys("is:unread is:flagged is:answered") == "UNSEEN FLAGGED ANSWERED");
    CHECK(keys("before:2024-05-17 after:2023") == "BEFORE 17-May-2024 SINCE 1-Jan-2023");
    CHECK(keys("has:attachment") == "HEADER Content-Type \"multipart/mixed\"");
    CHECK(keys("has:attachment", true) == "X-GM-RAW \"has:attachment\"");
}

TEST_CASE("nothing that is typed becomes a key of its own") {
    CHECK(keys("from:a\\\"b") == "FROM \"a\\\\b\"");
    CHECK(keys("from:x)OR(ALL") == "FROM \"x)OR(ALL\"");
    CHECK(keys("subject:ü") == "SUBJECT {2}\r\nü");
    mail::Query nul;
    nul.words.emplace_back("a\0b", 3);
    Command command({}, "UID SEARCH");
    put_query(command, nul, false);
    CHECK_FALSE(command.finish("A"));
    CHECK(is_ascii(*mail::parse_query("from:anna lunch")));
    CHECK_FALSE(is_ascii(*mail::parse_query("is:unread lunch to:ü")));
}
