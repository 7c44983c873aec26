#include "imap/windows.hpp"

#include "catch.hpp"

using namespace himalaya::imap;

TEST_CASE("windows cover the set once, newest first, whatever the gaps") {
    Windows windows(UidSet{{1, last_of_all}}, 100, 1000);
    UidSet all;
    uint32_t before = last_of_all;
    while (!windows.done()) {
        auto window = windows.next(10);
        REQUIRE(window.max() < before);
        REQUIRE(all.shared(window).empty());
        before = window.min();
        all = all.united(window);
    }
    REQUIRE(all.text() == "1:1000");
}

TEST_CASE("windows in which nothing is grow, and shrink where much is again") {
    Windows windows(UidSet{{1, last_of_all}}, 4'000'000'000, 4'000'000'000);
    int count = 0;
    for (; !windows.done(); ++count) {
        (void)windows.next(250);
        windows.came(250, 0);
    }
    REQUIRE(count < 20);

    Windows uneven(UidSet{{1, last_of_all}}, 1000, 1'000'000);
    REQUIRE(uneven.next(100).count() == 100'000);
    uneven.came(100, 0);
    REQUIRE(uneven.next(100).count() == 400'000);
    uneven.came(100, 1000);
    REQUIRE(uneven.next(100).count() == 40'000);
}
