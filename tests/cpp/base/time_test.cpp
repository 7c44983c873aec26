#include "base/histogram.hpp"
#include "base/time.hpp"
#include "catch.hpp"

using namespace himalaya;

TEST_CASE("times are written and read") {
    REQUIRE(time::iso(0) == "1970-01-01T00:00:00Z");
    REQUIRE(time::iso(1709210096) == "2024-02-29T12:34:56Z");
    REQUIRE(time::iso_ms(1709210096789) == "2024-02-29T12:34:56.789Z");
    REQUIRE(time::iso_ms(-1) == "1969-12-31T23:59:59.999Z");
    for (std::int64_t at :
         {std::int64_t(0), std::int64_t(951826394), std::int64_t(4102444800), std::int64_t(-86400)})
        REQUIRE(time::from_iso(time::iso(at)) == at);
    REQUIRE(time::from_iso("2024-02-29T13:34:56.5+01:00") == 1709210096);
    for (const char* bad :
         {"", "2024-02-29", "2024-13-01T00:00:00Z", "2024-02-29T12:34:56X", "2024-02-29T12:34:5"})
        REQUIRE_FALSE(time::from_iso(bad));
}

TEST_CASE("spans read like speech") {
    REQUIRE(time::span(-3) == "0 seconds");
    REQUIRE(time::span(1) == "1 second");
    REQUIRE(time::span(59) == "59 seconds");
    REQUIRE(time::span(60) == "1 minute");
    REQUIRE(time::span(7200) == "2 hours");
    REQUIRE(time::span(200'000) == "2 days");
}

TEST_CASE("a percentile is right within a bucket") {
    Histogram histogram;
    REQUIRE(histogram.p99() == 0);
    for (std::uint64_t i = 1; i <= 100'000; ++i)
        histogram.add(i);
    REQUIRE(histogram.count() == 100'000);
    REQUIRE(histogram.max() == 100'000);
    REQUIRE(histogram.p50() == Approx(50'000).epsilon(0.07));
    REQUIRE(histogram.p99() == Approx(99'000).epsilon(0.07));
    REQUIRE(histogram.percentile(1) == 100'000);
    Histogram edges;
    for (int bit = 0; bit < 64; ++bit)
        edges.add(1ull << bit);
    edges.add(0);
    edges.add(~0ull);
    REQUIRE(edges.percentile(1) == ~0ull);
    REQUIRE(edges.percentile(0) == 0);
}
