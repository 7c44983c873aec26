// The small values the queue is made of: due times and backoff.
#include "jobs/backoff.hpp"
#include "jobs/due_times.hpp"

#include "catch.hpp"

#include <map>

using namespace himalaya::jobs;

TEST_CASE("due times come out in order whatever was set, moved and cleared") {
    DueTimes due;
    std::map<DueTimes::Slot, Time> expected;
    Chance chance(7);
    for (int i = 0; i < 20000; ++i) {
        auto slot = static_cast<DueTimes::Slot>(chance.next() % 300);
        if (chance.next() % 3 == 0) {
            due.clear(slot);
            expected.erase(slot);
        } else {
            auto when = static_cast<Time>(chance.next() % 1000);
            due.set(slot, when);
            expected[slot] = when;
        }
        REQUIRE(due.size() == expected.size());
        if (!expected.empty()) {
            auto least = std::min_element(expected.begin(), expected.end(),
                                          [](auto& a, auto& b) { return a.second < b.second; });
            REQUIRE(due.next_time() == least->second);
            REQUIRE(expected.at(due.next_slot()) == due.next_time());
        }
    }
    Time last = 0;
    while (!due.empty()) {
        REQUIRE(due.next_time() >= last);
        last = due.next_time();
        due.clear(due.next_slot());
    }
}

TEST_CASE("the wait before an attempt doubles, never falls short, and has an end") {
    for (std::uint64_t chance :
         {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{123456789}}) {
        Time first = 500 * MILLISECOND;
        for (int attempt = 1; attempt < 40; ++attempt) {
            Time plain = std::min(LONGEST_BACKOFF, attempt < 20 ? first << (attempt - 1) : LONGEST_BACKOFF);
            Time wait = backoff(first, attempt, chance);
            REQUIRE(wait >= plain);
            REQUIRE(wait <= plain + plain / 2);
        }
    }
    REQUIRE(backoff(0, 1, 99) == 0);
}

TEST_CASE("the wait before an attempt differs from job to job") {
    Chance chance(3);
    std::map<Time, int> seen;
    for (int i = 0; i < 100; ++i)
        ++seen[backoff(500 * MILLISECOND, 1, chance.next())];
    REQUIRE(seen.size() > 90);
}
