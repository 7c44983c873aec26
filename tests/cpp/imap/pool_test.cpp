#include "imap/pool.hpp"
#include "imap/search.hpp"
#include "imap/watch.hpp"

#include "catch.hpp"
#include "imap/scripted_session.hpp"

#include <fmt/format.h>

using namespace himalaya;
using namespace himalaya::imap;

namespace {

std::shared_ptr<Pool> pool_at(Place& place, const Account& account) {
    auto pool = std::make_shared<Pool>(place.net, account);
    REQUIRE_FALSE(place.loop.run(pool->open({})));
    return pool;
}

std::shared_ptr<Pool> pool_at(Place& place) {
    return pool_at(place, account_of(place.server));
}

} // namespace

TEST_CASE("a pool opens what it needs, shares when it may not open more, and says so") {
    Place place;
    auto account = account_of(place.server);
    account.pool_size = 3;
    auto pool = pool_at(place, account);
    auto first = place.loop.value_of(pool->take("INBOX", Priority::user, {}));
    auto use = place.loop.value_of(first->use("INBOX", Priority::background, {}));
    place.server.on("AUTHENTICATE", "% NO [LIMIT] Maximum number of connections exceeded\r\n");
    auto second = place.loop.value_of(pool->take("Other", Priority::user, {}));
    REQUIRE(second == first);
    REQUIRE(pool->stats().limit == 1);
    REQUIRE_FALSE(pool->stats().note.empty());
    use.release();
    pool->close();
    REQUIRE(pool->stats().connections == 0);
}

TEST_CASE("who holds a folder may use it, however urgently another one is waited for") {
    Place place;
    auto pool = pool_at(place);
    auto only = place.loop.value_of(pool->take("INBOX", Priority::user, {}));
    auto held = place.loop.value_of(only->hold("INBOX", Priority::background, {}));
    bool other = false;
    auto wait = [](std::shared_ptr<Session> session, bool& came) -> loop::Task<> {
        auto waiting = session->use("Other", Priority::user, {});
        auto use = co_await waiting;
        came = true;
    };
    loop::start(wait(only, other), [](std::optional<Error>) {});
    for (int i = 0; i < 2; ++i) {
        auto nested = place.loop.value_of(only->use("INBOX", Priority::background, {}));
        REQUIRE(nested);
    }
    REQUIRE_FALSE(other);
    held.release();
    REQUIRE(place.loop.run_until([&] { return other; }));
    // Nobody holds it any more: who waits is served in turn.
    auto again = place.loop.value_of(only->use("INBOX", Priority::background, {}));
    other = false;
    loop::start(wait(only, other), [](std::optional<Error>) {});
    bool behind = false;
    auto later = [](std::shared_ptr<Session> session, bool& came) -> loop::Task<> {
        auto waiting = session->use("INBOX", Priority::background, {});
        auto use = co_await waiting;
        came = true;
    };
    loop::start(later(only, behind), [](std::optional<Error>) {});
    REQUIRE_FALSE(behind);
    again.release();
    REQUIRE(place.loop.run_until([&] { return other && behind; }));
    pool->close();
}

TEST_CASE("a lost connection is replaced, and the folders are asked for anew") {
    Place place;
    place.server.on("LIST", "* LIST () \"/\" INBOX\r\n% OK\r\n");
    auto pool = pool_at(place);
    REQUIRE(place.loop.value_of(pool->folders({})).size() == 1);
    REQUIRE(place.loop.value_of(pool->folders({})).size() == 1);
    REQUIRE(place.server.count("LIST") == 1);
    place.server.cut();
    REQUIRE(place.loop.run_until([&] { return pool->stats().connections == 0; }));
    REQUIRE(place.loop.value_of(pool->folders({})).size() == 1);
    REQUIRE(place.server.count("LIST") == 2);
    REQUIRE(place.server.connections == 2);
    pool->close();
}

TEST_CASE("idle connections are given up when the machine slept") {
    Place place;
    auto pool = pool_at(place);
    REQUIRE(pool->stats().connections == 1);
    pool->surroundings_changed();
    REQUIRE(pool->stats().connections == 0);
    pool->close();
}

TEST_CASE("a sleep shows as a jump between two clocks, a new network in its addresses") {
    Surroundings surroundings;
    REQUIRE_FALSE(surroundings.changed(1'000'000, 1000, "192.0.2.1 "));
    REQUIRE_FALSE(surroundings.changed(1'005'100, 6000, "192.0.2.1 "));
    REQUIRE(surroundings.changed(4'600'000, 11'000, "192.0.2.1 "));
    REQUIRE_FALSE(surroundings.changed(4'605'000, 16'000, "192.0.2.1 "));
    REQUIRE(surroundings.changed(4'610'000, 21'000, "198.51.100.7 "));
}

TEST_CASE("waits grow with each failure, differ by chance, and obey the server") {
    Backoff backoff;
    auto offline = make_error(himalaya::Code::offline, "gone");
    REQUIRE(backoff.failed(offline, 0) == 750);
    REQUIRE(backoff.failed(offline, 1) == 2500);
    for (int i = 0; i < 20; ++i)
        REQUIRE(backoff.failed(offline, 0.5) <= 300'000);
    backoff.succeeded();
    auto throttled =
        error_of({Verdict::bad, "", "throttled. Suggested Backoff Time: 92000 milliseconds"}, "go on");
    REQUIRE(backoff.failed(throttled, 0.5) == 92'000);
}

TEST_CASE("waits stay as long as the first where the user wants it so, and obey the server all the same") {
    Backoff backoff(false);
    for (int i = 0; i < 20; ++i)
        REQUIRE(backoff.failed(make_error(himalaya::Code::offline, "gone"), 0.5) == 1000);
    auto throttled =
        error_of({Verdict::bad, "", "throttled. Suggested Backoff Time: 92000 milliseconds"}, "go on");
    REQUIRE(backoff.failed(throttled, 0.5) == 92'000);
}

TEST_CASE("a watch idles, tells of news at once, and renews with one write") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    auto account = account_of(place.server);
    account.renew_ms = 50;
    auto pool = pool_at(place, account);
    std::vector<Change> changes;
    pool->watch().add("INBOX", [&](const Change& change) { changes.push_back(change); });
    REQUIRE(place.loop.run_until([&] { return place.server.count("IDLE") >= 1; }));
    REQUIRE(pool->stats().mode == "idle");
    place.server.say("* 4 EXISTS\r\n");
    REQUIRE(place.loop.run_until([&] { return !changes.empty(); }));
    REQUIRE(changes[0].kind == Change::Kind::messages);
    REQUIRE(changes[0].exists == 4);
    REQUIRE(place.loop.run_until([&] { return place.server.count("IDLE") >= 3; }));
    REQUIRE(place.server.count("DONE") >= 2);
    pool->close();
}

TEST_CASE("the only connection that the server allows is the watch's, and everybody's when they need it") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    auto pool = pool_at(place);
    place.server.on("AUTHENTICATE", "% NO [LIMIT] Maximum number of connections exceeded\r\n");
    std::vector<Change> changes;
    pool->watch().add("INBOX", [&](const Change& change) { changes.push_back(change); });
    REQUIRE(place.loop.run_until([&] { return place.server.count("IDLE") >= 1; }));
    REQUIRE(pool->stats().connections == 1);
    for (auto priority : {Priority::user, Priority::background}) {
        auto tried = place.server.connections;
        auto idled = place.server.count("IDLE");
        auto selected = place.server.count("SELECT \"Other\"");
        {
            auto session = place.loop.value_of(pool->take("Other", priority, {}));
            auto use = place.loop.value_of(session->use("Other", priority, {}));
            auto options = SelectOptions();
            place.loop.value_of(select(session, "Other", std::move(options), {}));
            REQUIRE(place.server.count("SELECT \"Other\"") == selected + 1);
            place.loop.value_of(status(session, {"INBOX"}, {}));
            REQUIRE(place.server.count("IDLE") == idled);
        }
        REQUIRE(place.loop.run_until([&] { return place.server.count("IDLE") > idled; }));
        // One is refused, to learn that no other one is to be had.
        REQUIRE(place.server.connections <= tried + (priority == Priority::user ? 1 : 0));
    }
    REQUIRE(pool->stats().note.find("allows 1 connection at") != std::string::npos);
    changes.clear();
    place.server.say("* 7 EXISTS\r\n");
    REQUIRE(place.loop.run_until([&] { return !changes.empty(); }));
    REQUIRE(changes[0].exists == 7);
    // Who is at work on it is not disturbed when nothing is watched any more.
    auto session = place.loop.value_of(pool->take("Other", Priority::user, {}));
    auto use = place.loop.value_of(session->use("Other", Priority::user, {}));
    pool->watch().remove(1);
    for (int i = 0; i < 20; ++i)
        place.loop.turn();
    REQUIRE(session->alive());
    use.release();
    REQUIRE(place.loop.value_of(pool->take("Other", Priority::user, {})) == session);
    pool->close();
}

TEST_CASE("a sync tries by itself, however long the watch has been trying in vain") {
    Place place;
    auto account = account_of(place.server);
    account.port = 1; // nobody listens there
    auto pool = std::make_shared<Pool>(place.net, account);
    // The next try would be minutes away.
    for (int i = 0; i < 10; ++i)
        REQUIRE(place.loop.run(pool->open({}))->code == Fault::offline);
    auto tried = pool->stats().connections_opened;
    REQUIRE_THROWS_AS(place.loop.value_of(pool->take("", Priority::ui, {})), Error);
    REQUIRE(pool->stats().connections_opened == tried + 1);
    pool->close();
}

TEST_CASE("a sync hears at once that the server wants to be asked later") {
    Place place;
    place.server.greeting = "* BYE Request is throttled. Suggested Backoff Time: 300000 milliseconds\r\n";
    auto pool = std::make_shared<Pool>(place.net, account_of(place.server));
    REQUIRE(place.loop.run(pool->open({}))->code == Fault::throttled);
    auto tried = pool->stats().connections_opened;
    REQUIRE_THROWS_AS(place.loop.value_of(pool->take("", Priority::ui, {})), Error);
    REQUIRE(pool->stats().connections_opened == tried);
    pool->close();
}

TEST_CASE("a watch whose IDLE is refused polls") {
    Place place;
    place.server.on("IDLE", "% BAD what\r\n");
    auto account = account_of(place.server);
    account.poll_ms = 20;
    auto pool = pool_at(place, account);
    pool->watch().add("INBOX", [](const Change&) {});
    REQUIRE(place.loop.run_until([&] { return pool->stats().mode == "poll"; }));
    REQUIRE(place.loop.run_until([&] { return place.server.count("NOOP") >= 2; }));
    pool->close();
}

TEST_CASE("a folder that is added while the watch asks something is listened to at once") {
    for (const std::string asked : {"SELECT", "NOOP"}) {
        CAPTURE(asked);
        Place place;
        place.server.on("IDLE", "+ idling\r\n");
        place.server.on("STATUS", "* STATUS \"Other\" (MESSAGES 3 UIDNEXT 4)\r\n% OK\r\n");
        auto account = account_of(place.server);
        account.poll_ms = 20;
        auto pool = pool_at(place, account);
        std::vector<Change> changes;
        bool added = false;
        std::string answer =
            asked == "NOOP" ? "% OK\r\n" : "* 8 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n% OK\r\n";
        place.server.on(asked, [&](const std::string&) {
            if (!std::exchange(added, true))
                pool->watch().add("Other", [&](const Change& change) { changes.push_back(change); });
            return answer;
        });
        pool->watch().add("INBOX", [](const Change&) {});
        REQUIRE(place.loop.run_until([&] { return place.server.count("STATUS \"Other\"") >= 3; }));
        place.server.on("STATUS", "* STATUS \"Other\" (MESSAGES 4 UIDNEXT 5)\r\n% OK\r\n");
        REQUIRE(place.loop.run_until([&] { return !changes.empty(); }));
        REQUIRE(changes[0].exists == 4);
        pool->close();
    }
}

TEST_CASE(
    "a server that gives NOTIFY up is asked anew, and one that does so again and again is heard by IDLE") {
    Place place("IMAP4rev1 IDLE NOTIFY UIDPLUS");
    place.server.on("IDLE", "+ idling\r\n");
    place.server.on("NOTIFY", "% OK\r\n");
    auto pool = pool_at(place);
    bool gave_up = false;
    // It does so while it is being asked something else.
    place.server.on("NOOP", [&](const std::string&) -> std::string {
        return std::exchange(gave_up, true) ? "% OK\r\n"
                                            : "* OK [NOTIFICATIONOVERFLOW] lost count\r\n% OK\r\n";
    });
    pool->watch().add("INBOX", [](const Change&) {});
    REQUIRE(place.loop.run_until(
        [&] { return place.server.count("NOTIFY") == 2 && place.server.count("IDLE") >= 1; }));
    REQUIRE(pool->stats().mode == "notify");
    place.server.on("IDLE", "+ idling\r\n* OK [NOTIFICATIONOVERFLOW] lost count\r\n");
    place.server.say("* OK [NOTIFICATIONOVERFLOW] lost count\r\n");
    REQUIRE(place.loop.run_until([&] { return pool->stats().mode == "idle"; }));
    auto idled = place.server.count("IDLE");
    for (int i = 0; i < 50; ++i)
        place.loop.turn();
    REQUIRE(place.server.count("NOTIFY") == 2);
    REQUIRE(place.server.count("IDLE") <= idled + 1);
    pool->close();
}

TEST_CASE("a watched folder that is not there costs one login, and is listened to once it is") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    place.server.on("SELECT", "% NO [NONEXISTENT] no such folder\r\n");
    place.server.on("STATUS", "% NO [NONEXISTENT] no such folder\r\n");
    auto account = account_of(place.server);
    account.poll_ms = 20;
    auto pool = pool_at(place, account);
    std::vector<Change> changes;
    bool up = false;
    pool->watch().add(
        "Later", [&](const Change& change) { changes.push_back(change); }, [&] { up = true; });
    REQUIRE(place.loop.run_until([&] { return place.server.count("SELECT") >= 5; }));
    REQUIRE(place.server.connections == 2); // the pool's and the watch's
    REQUIRE(pool->stats().mode == "poll");
    REQUIRE_FALSE(up);
    place.server.on("SELECT", "* 8 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 15] x\r\n% OK\r\n");
    REQUIRE(place.loop.run_until([&] { return up && pool->stats().mode == "idle"; }));
    place.server.say("* 9 EXISTS\r\n");
    REQUIRE(place.loop.run_until([&] { return !changes.empty(); }));
    REQUIRE(place.server.connections == 2);
    pool->close();
}

TEST_CASE("a server that ends each watch at once is not asked in a hurry") {
    Place place;
    place.server.on("IDLE", "* BYE not today\r\n");
    auto pool = pool_at(place);
    pool->watch().add("INBOX", [](const Change&) {});
    // The second comes at once, the third after the two seconds of a second failure.
    int64_t second_ms = 0, third_ms = 0;
    REQUIRE(place.loop.run_until([&] {
        auto& met = place.server.connections == 3 ? second_ms : third_ms;
        if (place.server.connections >= 3 && met == 0)
            met = place.loop.loop().now_ms();
        return third_ms > 0;
    }));
    REQUIRE(second_ms > 0);
    REQUIRE(third_ms - second_ms > 1000);
    REQUIRE(place.server.count("IDLE") >= 2);
    pool->close();
}

TEST_CASE("where no connection is left for a watch, it takes one of the pool's") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    auto account = account_of(place.server);
    account.pool_size = 3;
    auto pool = pool_at(place, account);
    {
        auto first = place.loop.value_of(pool->take("INBOX", Priority::user, {}));
        auto use = place.loop.value_of(first->use("INBOX", Priority::background, {}));
        (void)place.loop.value_of(pool->take("Other", Priority::user, {}));
    }
    REQUIRE(pool->stats().connections == 2);
    place.server.on("AUTHENTICATE", "% NO [LIMIT] Maximum number of connections exceeded\r\n");
    pool->watch().add("INBOX", [](const Change&) {});
    REQUIRE(place.loop.run_until([&] { return pool->stats().mode == "idle"; }));
    REQUIRE(pool->stats().connections == 2);
    REQUIRE(pool->stats().limit == 1);
    REQUIRE_FALSE(pool->stats().note.empty());
    // What it does not allow is not asked for again and again.
    auto only = place.loop.value_of(pool->take("INBOX", Priority::user, {}));
    auto busy = place.loop.value_of(only->use("INBOX", Priority::background, {}));
    int before = place.server.connections;
    REQUIRE(place.loop.value_of(pool->take("Other", Priority::user, {})) == only);
    REQUIRE(place.server.connections == before);
    busy.release();
    pool->close();
}

TEST_CASE("an answer without end is an error and bounded, whatever was asked for") {
    Place place("IMAP4rev1 UIDPLUS");
    std::string numbers;
    for (int i = 1; i < 20'000; ++i)
        numbers += fmt::format(" {}", i * 2);
    bool endless = true;
    auto flood = [&](const std::string& line) {
        // Again and again, for as long as somebody listens.
        for (int i = 0; i < 200; ++i)
            place.loop.loop().defer([&, line] {
                if (endless)
                    place.server.say(line);
            });
    };
    auto code_of = [&](auto task) {
        try {
            (void)place.loop.value_of(std::move(task));
        } catch (Error& error) {
            return error.code;
        }
        return himalaya::Code::internal;
    };
    auto session = place.open();
    SECTION("SEARCH") {
        place.server.on("UID SEARCH", [&](const std::string&) {
            flood("* SEARCH" + numbers + "\r\n");
            return std::string();
        });
        SearchRequest request;
        request.folder = "INBOX";
        REQUIRE(code_of(search(session, std::move(request), {})) == himalaya::Code::protocol);
    }
    SECTION("LIST") {
        place.server.on("LIST", [&](const std::string&) {
            std::string lines;
            for (int i = 0; i < 1000; ++i)
                lines += fmt::format("* LIST () \"/\" \"folder {}\"\r\n", i);
            flood(lines);
            return std::string();
        });
        REQUIRE(code_of(list(session, "*", false, {})) == himalaya::Code::protocol);
    }
    endless = false;
    REQUIRE_FALSE(session->alive());
}

TEST_CASE("a server that agrees to STARTTLS and then says nothing is given up") {
    Place place;
    place.server.greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\r\n";
    place.server.on("STARTTLS", "% OK begin\r\n");
    auto account = account_of(place.server);
    account.security = net::Security::starttls;
    account.timeout_ms = 200;
    auto shared = std::make_shared<const Account>(std::move(account));
    std::optional<himalaya::Code> code;
    try {
        (void)place.loop.value_of(Session::open(place.net, shared, place.learnt, {}));
    } catch (Error& error) {
        code = error.code;
    }
    REQUIRE(code == himalaya::Code::timeout);
}

TEST_CASE("a watch comes back and tells what changed while it was away") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    auto pool = pool_at(place);
    std::vector<Change> changes;
    pool->watch().add("INBOX", [&](const Change& change) { changes.push_back(change); });
    REQUIRE(place.loop.run_until([&] { return place.server.count("IDLE") >= 1; }));
    place.server.on("SELECT", "* 8 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 15] x\r\n% OK\r\n");
    place.server.cut();
    REQUIRE(place.loop.run_until([&] { return !changes.empty(); }));
    REQUIRE(changes[0].exists == 8);
    pool->close();
}

TEST_CASE("a server that swallows the renewal is found dead") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    auto account = account_of(place.server);
    account.renew_ms = 50;
    account.timeout_ms = 1500; // the login's, too
    auto pool = pool_at(place, account);
    pool->watch().add("INBOX", [](const Change&) {});
    REQUIRE(place.loop.run_until([&] { return place.server.count("IDLE") >= 1; }));
    place.server.on("IDLE", "");
    place.server.on("NOOP", "");
    int before = place.server.connections;
    REQUIRE(place.loop.run_until([&] { return place.server.connections > before; }));
    pool->close();
}
