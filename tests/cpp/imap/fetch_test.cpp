#include "imap/fetch.hpp"
#include "imap/search.hpp"

#include "catch.hpp"
#include "imap/scripted_session.hpp"

#include <algorithm>
#include <fmt/format.h>

using namespace himalaya;
using namespace himalaya::imap;

TEST_CASE("SELECT and the first FETCH travel together, and every message comes once") {
    Place place;
    place.server.on("UID FETCH", [](const std::string& line) -> std::string {
        if (line.starts_with("UID FETCH * "))
            return "* 3 FETCH (UID 9 FLAGS ())\r\n% OK\r\n";
        return "* 1 FETCH (UID 2 FLAGS (\\Seen))\r\n* 2 FETCH (UID 5 FLAGS ())\r\n% OK\r\n";
    });
    auto session = place.open();
    auto before = session->stats().round_trips;
    Counter counter;
    auto result = place.loop.value_of(fetch(session, request_for(*UidSet::parse("1:*")), counter, {}));
    REQUIRE(result.messages == 3);
    REQUIRE(counter.uids == std::vector<uint32_t>{9, 2, 5});
    REQUIRE(result.uid_validity == 7);
    REQUIRE(session->stats().round_trips - before <= 2);
    REQUIRE(place.server.count("SELECT") == 1);
}

TEST_CASE("* alone is the newest message, and 900:* in a folder of less is none") {
    Place place;
    place.server.on("UID FETCH", "* 3 FETCH (UID 9 FLAGS ())\r\n% OK\r\n");
    auto session = place.open();
    for (int round = 0; round < 2; ++round) { // the folder is opened by the first
        Counter counter;
        auto result = place.loop.value_of(fetch(session, request_for(*UidSet::parse("*")), counter, {}));
        REQUIRE(result.messages == 1);
        REQUIRE(counter.uids == std::vector<uint32_t>{9});
    }
    Counter none;
    REQUIRE(place.loop.value_of(fetch(session, request_for(*UidSet::parse("900:*")), none, {})).messages ==
            0);
}

TEST_CASE("an empty folder has nothing to fetch, whatever the server says to *") {
    Place place;
    place.server.on("SELECT", "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n% OK\r\n");
    place.server.on("UID FETCH", "% BAD no such message\r\n");
    auto session = place.open();
    Counter counter;
    REQUIRE(place.loop.value_of(fetch(session, request_for(*UidSet::parse("1:*")), counter, {})).messages ==
            0);
}

TEST_CASE("a server that tells of messages without end is left") {
    Place place;
    place.server.on("UID FETCH", [](const std::string&) {
        std::string flood;
        for (int uid = 1; uid <= 20000; ++uid)
            flood += "* 1 FETCH (UID " + std::to_string(uid) + " FLAGS ())\r\n";
        return flood;
    });
    auto session = place.open();
    Counter counter;
    auto task = [](auto s, Counter& c) -> loop::Task<void> {
        auto request = request_for(*UidSet::parse("1:*"));
        co_await fetch(s, std::move(request), c, {});
    };
    REQUIRE(place.loop.run(task(session, counter))->code == himalaya::Code::protocol);
    REQUIRE(counter.uids.size() < 1100);
}

TEST_CASE("news in the middle of a FETCH is not a message") {
    Place place;
    place.server.on(
        "UID FETCH",
        "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 4 EXISTS\r\n* 2 EXPUNGE\r\n* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n"
        "% OK\r\n");
    auto session = place.open();
    auto request = request_for(UidSet{{1, 3}});
    request.wants.flags = false;
    request.wants.size = true;
    Counter counter;
    place.loop.value_of(fetch(session, std::move(request), counter, {}));
    REQUIRE(counter.uids == std::vector<uint32_t>{1});
    REQUIRE(session->selected()->exists == 3);
}

TEST_CASE("a message of which the server knows nothing is a message all the same") {
    struct {
        std::string_view answer;
        bool FetchWants::*asked;
    } answers[] = {{"ENVELOPE NIL", &FetchWants::envelope},
                   {"BODYSTRUCTURE NIL", &FetchWants::structure},
                   {"INTERNALDATE NIL", &FetchWants::internal_date},
                   {"RFC822.SIZE -1", &FetchWants::size},
                   {"SAVEDATE NIL", &FetchWants::save_date}};
    for (auto& [answer, asked] : answers) {
        CAPTURE(answer);
        Place place("IMAP4rev1 SAVEDATE");
        place.server.on("UID FETCH", fmt::format("* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n"
                                                 "* 1 FETCH (UID 1 FLAGS () {})\r\n% OK\r\n",
                                                 answer));
        auto session = place.open();
        auto request = request_for(UidSet{{1, 3}});
        request.wants.*asked = true;
        Counter counter;
        auto result = place.loop.value_of(fetch(session, std::move(request), counter, {}));
        REQUIRE(counter.uids == std::vector<uint32_t>{1});
        REQUIRE(result.messages == 1);
    }
}

TEST_CASE(
    "what a server tells of the folder before, when it does not open the one asked for, is no message") {
    Place place;
    place.server.on("SELECT", "% NO not today\r\n");
    place.server.on("UID FETCH", "* 3 FETCH (UID 9 FLAGS ())\r\n% OK\r\n");
    auto session = place.open();
    Counter counter;
    REQUIRE_THROWS_AS(place.loop.value_of(fetch(session, request_for(UidSet{{1, last_of_all}}), counter, {})),
                      Error);
    REQUIRE(counter.uids.empty());
}

TEST_CASE("a message of which something cannot be read comes without that, wherever its UID stands") {
    const std::string bad = std::string("ENVELOPE (NIL \"s") + '\0' + "x\" NIL NIL NIL NIL NIL NIL NIL NIL)";
    const std::string good = "ENVELOPE (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)";
    for (bool uid_first : {true, false}) {
        for (const std::string asked : {"1:*", "*", "2:9"}) {
            Place place;
            place.server.on("UID FETCH", [&](const std::string& line) -> std::string {
                auto one = [&](int seq, int uid, const std::string& envelope) {
                    if (line.find("ENVELOPE") == std::string::npos)
                        return fmt::format("* {} FETCH (UID {} FLAGS ())\r\n", seq, uid);
                    return uid_first ? fmt::format("* {} FETCH (UID {} FLAGS () {})\r\n", seq, uid, envelope)
                                     : fmt::format("* {} FETCH (FLAGS () {} UID {})\r\n", seq, envelope, uid);
                };
                auto text = line.substr(10, line.find(' ', 10) - 10);
                auto set = *UidSet::parse(text);
                std::string out;
                if (set.contains(2))
                    out += one(1, 2, bad);
                if (set.contains(5))
                    out += one(2, 5, good);
                if (set.contains(9) || text.ends_with("*"))
                    out += one(3, 9, bad);
                return out + "% OK\r\n";
            });
            auto session = place.open();
            Counter counter;
            auto request = request_for(*UidSet::parse(asked));
            request.wants.envelope = true;
            auto result = place.loop.value_of(fetch(session, request, counter, {}));
            std::sort(counter.uids.begin(), counter.uids.end());
            CAPTURE(uid_first, asked);
            REQUIRE(result.messages == counter.uids.size());
            REQUIRE(counter.uids ==
                    (asked == "*" ? std::vector<uint32_t>{9} : std::vector<uint32_t>{2, 5, 9}));
        }
    }
}

TEST_CASE("a cancelled request leaves the connection in order") {
    Place place;
    place.server.on("UID FETCH", "");
    auto session = place.open();
    loop::CancelSource cancel;
    Counter counter;
    std::optional<Error> ended;
    auto task = [](auto s, Counter& c, loop::CancelToken token) -> loop::Task<void> {
        auto request = request_for(UidSet{{1, 3}});
        co_await fetch(s, std::move(request), c, token);
    };
    loop::start(task(session, counter, cancel.token()), [&](std::optional<Error> error) { ended = error; });
    REQUIRE(place.loop.run_until([&] { return place.server.count("UID FETCH") == 1; }));
    cancel.cancel();
    REQUIRE(ended->code == himalaya::Code::cancelled);
    REQUIRE(session->alive());
    REQUIRE(session->users() == 0);
}

TEST_CASE("bulk work steps aside for another folder and goes on afterwards") {
    Place place;
    place.server.on("SELECT",
                    "* 30000 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 30001] x\r\n% OK\r\n");
    place.server.on("UID FETCH", [](const std::string& line) -> std::string {
        auto set = UidSet::parse(line.substr(10, line.find(' ', 10) - 10));
        std::string reply;
        for (auto uid : set->numbers())
            reply += "* 1 FETCH (UID " + std::to_string(uid) + " FLAGS ())\r\n";
        return reply + "% OK\r\n";
    });
    place.server.on("UID SEARCH", "* ESEARCH (TAG \"x\") UID ALL 1\r\n% OK\r\n");
    auto session = place.open();
    Counter counter;
    bool fetched = false, searched = false;
    size_t seen_at_search = 0;
    auto bulk = [](auto s, Counter& c) -> loop::Task<void> {
        auto request = request_for(UidSet{{1, 30000}});
        request.priority = Priority::background;
        co_await fetch(s, std::move(request), c, {});
    };
    auto urgent = [](auto s) -> loop::Task<void> {
        SearchRequest request;
        request.folder = "Other";
        co_await search(s, request, {});
    };
    loop::start(bulk(session, counter), [&](std::optional<Error> error) {
        REQUIRE_FALSE(error);
        fetched = true;
    });
    REQUIRE(place.loop.run_until([&] { return !counter.uids.empty(); }));
    loop::start(urgent(session), [&](std::optional<Error> error) {
        REQUIRE_FALSE(error);
        searched = true;
        seen_at_search = counter.uids.size();
    });
    REQUIRE(place.loop.run_until([&] { return fetched && searched; }));
    REQUIRE(seen_at_search < 30000);
    REQUIRE(counter.uids.size() == 30000);
}

TEST_CASE("while the sink holds, nothing is read; then it goes on") {
    Place place;
    place.server.on("UID FETCH", "* 1 FETCH (UID 1 FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS ())\r\n% OK\r\n");
    auto session = place.open();
    Counter counter;
    counter.stop_after = 1;
    bool done = false;
    auto task = [](auto s, Counter& c) -> loop::Task<void> {
        auto request = request_for(UidSet{{1, 2}});
        co_await fetch(s, std::move(request), c, {});
    };
    loop::start(task(session, counter), [&](std::optional<Error>) { done = true; });
    REQUIRE(place.loop.run_until([&] { return session->paused(); }));
    for (int i = 0; i < 20; ++i)
        place.loop.turn();
    REQUIRE(counter.uids.size() == 1);
    REQUIRE_FALSE(done);
    session->resume();
    REQUIRE(place.loop.run_until([&] { return done; }));
    REQUIRE(counter.uids.size() == 2);
}
