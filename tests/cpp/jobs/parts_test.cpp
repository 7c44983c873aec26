// The small values the queue is made of: due times, backoff, histogram.
#include "jobs/backoff.hpp"
#include "jobs/due_times.hpp"
#include "jobs/histogram.hpp"

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

TEST_CASE("a histogram's percentiles are right to a quarter") {
    Histogram times;
    REQUIRE(times.percentile(0.5) == 0);
    for (Time t = 1; t <= 100'000; ++t)
        times.add(t);
    for (double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
        auto right = share * 100'000;
        REQUIRE(static_cast<double>(times.percentile(share)) >= right);
        REQUIRE(static_cast<double>(times.percentile(share)) <= right * 1.25);
    }
    REQUIRE(times.percentile(1) == 100'000);
    REQUIRE(times.max() == 100'000);
    REQUIRE(times.mean() == 50'000);
    REQUIRE(times.count() == 100'000);
}

TEST_CASE("a histogram takes anything") {
    Histogram times;
    times.add(-5);
    times.add(0);
    times.add(INT64_MAX / 4);
    REQUIRE(times.percentile(0.3) == 0);
    REQUIRE(times.count() == 3);
    std::uint64_t total = 0;
    Time edge = -1;
    for (std::size_t i = 0; i < Histogram::BUCKETS; ++i) {
        total += times.bucket(i).count;
        REQUIRE(times.bucket(i).up_to > edge);
        edge = times.bucket(i).up_to;
    }
    REQUIRE(total == 3);
}
