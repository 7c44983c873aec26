#include "base/error.hpp"
#include "catch.hpp"

using namespace himalaya;

TEST_CASE("every code has a name that leads back to it") {
    for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
        auto code = static_cast<Code>(i);
        REQUIRE(code_of(name_of(code)) == code);
    }
    REQUIRE_FALSE(code_of("no such code"));
}

TEST_CASE("an error of the network may be tried again, one of the config may not") {
    REQUIRE(make_error(Code::offline, "no route").retryable);
    REQUIRE_FALSE(make_error(Code::config, "wrong type").retryable);
}

TEST_CASE("a result is a value or throws its error") {
    Result<int> good = 7;
    REQUIRE(good);
    REQUIRE(std::move(good).or_throw() == 7);
    Result<int> bad = make_error(Code::timeout, "too late");
    REQUIRE_FALSE(bad);
    REQUIRE_THROWS_AS(std::move(bad).or_throw(), Error);
}
