#include "catch.hpp"
#include "mail/query.hpp"

using namespace himalaya;
using mail::parse_query;
using Words = std::vector<std::string>;

TEST_CASE("words and keys in any order, quotes keep words together") {
    auto query =
        parse_query("  lunch from:ann \"two words\" SUBJECT:\"on friday\" to:bob is:unread is:flagged "
                    "is:answered has:attachment");
    REQUIRE(query);
    REQUIRE(query->words == Words{"lunch", "two words"});
    REQUIRE(query->from == Words{"ann"});
    REQUIRE(query->to == Words{"bob"});
    REQUIRE(query->subject == Words{"on friday"});
    REQUIRE((query->unread && query->flagged && query->answered && query->has_attachment));
}

TEST_CASE("keys and what they take may be in capitals, and terms are counted") {
    REQUIRE(parse_query("Is:Unread HAS:Attachment")->unread);
    std::string many;
    for (int i = 0; i < 50; ++i)
        many += "x ";
    REQUIRE(parse_query(many));
    REQUIRE(parse_query(many + "y").error().code == Code::invalid);
}

TEST_CASE("dates are whole days, months or years") {
    REQUIRE(parse_query("before:2024-01-02")->before == 1704153600);
    REQUIRE(parse_query("after:2024")->after == 1704067200);
    REQUIRE(parse_query("after:2024-02")->after == 1706745600);
}

TEST_CASE("what cannot be looked for says what could") {
    for (const char* text :
         {"is:new", "has:virus", "before:soon", "before:2024-13-01", "before:2023-02-29", "after:2024-04-31",
          "after:2024-12-32", "after:2024-00", "from:", "after:24-01-01"}) {
        auto query = parse_query(text);
        REQUIRE_FALSE(query);
        REQUIRE(query.error().code == Code::invalid);
        REQUIRE_FALSE(query.error().hint.empty());
    }
}

TEST_CASE("other colons are part of words, an open quote ends with the text") {
    REQUIRE(parse_query("re:lunch http://x.example")->words == Words{"re:lunch", "http://x.example"});
    REQUIRE(parse_query("from:\"open")->from == Words{"open"});
    REQUIRE(parse_query("\"is:unread\"")->words == Words{"is:unread"});
    REQUIRE(*parse_query("") == mail::Query());
}
