#include "catch.hpp"
#include "mail/date.hpp"

using himalaya::mail::parse_date;

TEST_CASE("dates as they are sent") {
    REQUIRE(parse_date("Thu, 13 Feb 1969 23:32:54 -0330") == -27723426);
    REQUIRE(parse_date("Tue, 14 Nov 2023 22:13:20 +0000") == 1'700'000'000);
    REQUIRE(parse_date("14 Nov 2023 22:13:20 GMT (comment (nested))") == 1'700'000'000);
    REQUIRE(parse_date("Tue, 14 Nov 2023 17:13:20 EST") == 1'700'000'000);
    REQUIRE(parse_date("Wed, 15 Nov 23 00:13:20 +0200") == 1'700'000'000);
    REQUIRE(parse_date("Tue Nov 14 22:13:20 2023") == 1'700'000'000);
    REQUIRE(parse_date("14 November 2023 22:13") == 1'700'000'000 - 20);
}

TEST_CASE("what is no date is none") {
    for (const char* text : {"", "yesterday", "32 Nov 2023 10:00:00 +0000", "1 Foo 2023 10:00:00",
                             "1 Nov 2023 25:00:00", "1 Nov 2023", "99999999999999 Nov 2023 10:00"})
        REQUIRE_FALSE(parse_date(text));
}
