#include "sync/line_breakers.hpp"

#include "catch.hpp"

using namespace himalaya;
using namespace himalaya::sync;

namespace {

std::vector<store::Op> ops(std::initializer_list<store::Id> ids) {
    std::vector<store::Op> made;
    for (auto id : ids)
        made.emplace_back().id = id;
    return made;
}

} // namespace

TEST_CASE("changes at which the line was lost share commands with ever fewer, and wait ever longer") {
    LineBreakers breakers;
    REQUIRE(LineBreakers::wait(0) == 0);
    std::size_t together = SIZE_MAX;
    std::int64_t wait = -1;
    for (int times = 1; times <= 3; ++times) {
        breakers.lost_at(ops({7}));
        REQUIRE(breakers.times(7) == times);
        REQUIRE(breakers.limits().at(7) < together);
        REQUIRE(LineBreakers::wait(times) > wait);
        REQUIRE(breakers.is_told() == (times == 3));
        together = breakers.limits().at(7);
        wait = LineBreakers::wait(times);
    }
    REQUIRE(together == 1);
    REQUIRE(LineBreakers::wait(1'000) == 900);
}

TEST_CASE("what was answered is like any other change again") {
    LineBreakers breakers;
    breakers.lost_at(ops({1, 2, 3}));
    breakers.lost_at(ops({2}));
    REQUIRE(breakers.more_often(0) == std::set<store::Id>{1, 2, 3});
    REQUIRE(breakers.more_often(1) == std::set<store::Id>{2});
    breakers.answered(ops({1, 2, 9}));
    REQUIRE(breakers.more_often(0) == std::set<store::Id>{3});
    REQUIRE(breakers.times(2) == 0);
    REQUIRE_FALSE(breakers.limits().contains(2));
}
