#include "jobs/slots.hpp"

#include "catch.hpp"

using namespace himalaya::jobs;

namespace {

constexpr Slots::Waiting ALL = {true, true, true};

} // namespace

TEST_CASE("user goes before ui, ui before background") {
    Slots slots(3);
    REQUIRE(slots.next(ALL) == Lane::user);
    REQUIRE(slots.next({false, true, true}) == Lane::ui);
    REQUIRE(slots.next({false, false, true}) == Lane::background);
    REQUIRE_FALSE(slots.next({false, false, false}));
}

TEST_CASE("background work leaves one slot, and where it fills the rest that one is for the user") {
    Slots slots(3);
    slots.started(Lane::background, {false, false, true});
    slots.started(Lane::background, {false, false, true});
    REQUIRE_FALSE(slots.next({false, false, true}));
    REQUIRE_FALSE(slots.next({false, true, true}));
    REQUIRE(slots.next(ALL) == Lane::user);
    slots.ended(Lane::background);
    REQUIRE(slots.next({false, true, true}) == Lane::ui);
}

TEST_CASE("a single slot is for everybody") {
    Slots slots(1);
    REQUIRE(slots.next({false, false, true}) == Lane::background);
    slots.started(Lane::background, ALL);
    REQUIRE_FALSE(slots.next(ALL));
}

TEST_CASE("a lane that waits is passed over a bounded number of times") {
    for (int limit : {1, 2, 3, 8}) {
        Slots slots(limit);
        std::array<int, LANES> started{};
        int longest_without_background = 0, without = 0;
        for (int i = 0; i < 2000; ++i) {
            auto lane = slots.next(ALL);
            REQUIRE(lane);
            slots.started(*lane, ALL);
            ++started[index_of(*lane)];
            without = *lane == Lane::background ? 0 : without + 1;
            longest_without_background = std::max(longest_without_background, without);
            slots.ended(*lane);
        }
        REQUIRE(longest_without_background <= Slots::PATIENCE);
        REQUIRE(started[index_of(Lane::ui)] >= 2000 / (Slots::PATIENCE + 3));
        REQUIRE(started[index_of(Lane::user)] > started[index_of(Lane::ui)] * 5);
    }
}
