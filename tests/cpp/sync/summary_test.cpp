#include "catch.hpp"
#include "sync/summary.hpp"

using namespace himalaya;
using namespace himalaya::sync;

TEST_CASE("a summary travels between two Neovims whole") {
    Summary summary;
    summary.fresh = 3;
    summary.bytes = 1LL << 40;
    summary.round_trips = 2;
    summary.came = {{"INBOX", {7, 8, 9}}, {"Lists/\"a\"", {}}};
    summary.refused = {"The server refused to move a message in INBOX: \xff no"};
    summary.withheld = {"Archive"};
    auto told = summary_of(to_json(summary));
    REQUIRE(told);
    CHECK(told->fresh == 3);
    CHECK(told->bytes == 1LL << 40);
    CHECK(told->round_trips == 2);
    REQUIRE(told->came.size() == 2);
    CHECK(told->came[0].ids == std::vector<store::Id>{7, 8, 9});
    CHECK(told->came[1].folder == "Lists/\"a\"");
    CHECK(told->refused.size() == 1);
    CHECK(told->withheld == summary.withheld);
}

TEST_CASE("an error travels with its code and its hint") {
    auto error = make_error(Code::auth, "the server did not take the password", "check auth.command");
    auto told = summary_of(to_json(error));
    REQUIRE_FALSE(told);
    CHECK(told.error().code == Code::auth);
    CHECK(told.error().message == error.message);
    CHECK(told.error().hint == error.hint);
    CHECK_FALSE(told.error().retryable);
}

TEST_CASE("what is no summary is an error, and what is missing is nothing") {
    CHECK_FALSE(summary_of("not JSON"));
    auto empty = summary_of("{}");
    REQUIRE(empty);
    CHECK(empty->fresh == 0);
    auto strange = summary_of(R"({"new":"many","came":[{"ids":[1,"x"]}],"error":null})");
    CHECK_FALSE(strange); // whoever wrote an error meant one
}

TEST_CASE("counts add up, and tell failures by their code") {
    Counts counts;
    Summary summary;
    summary.fresh = 2;
    summary.duration_ms = 40;
    counts.add(summary);
    counts.add(summary, make_error(Code::offline, "no route"));
    counts.add(summary, make_error(Code::cancelled, "stopped"));
    CHECK(counts.cycles == 1);
    CHECK(counts.cancelled == 1);
    CHECK(counts.failures.at("offline") == 1);
    CHECK(counts.sum.fresh == 6);
    CHECK(counts.durations_ms.count() == 1);
    Counts all;
    all.add(counts);
    all.add(counts);
    CHECK(all.cycles == 2);
    CHECK(all.sum.fresh == 12);
    CHECK(all.durations_ms.count() == 2);
    CHECK(all.durations_ms.max() == 40);
}
