#include "imap/change.hpp"
#include "imap/fetch.hpp"
#include "imap/pool.hpp"
#include "imap/search.hpp"
#include "imap/watch.hpp"

#include "catch.hpp"
#include "support/scripted_imap.hpp"

using namespace himalaya;
using namespace himalaya::imap;
using test::ScriptedImap;
using test::TestLoop;

namespace {

Account account_of(const ScriptedImap& server) {
    Account account;
    account.host = "127.0.0.1";
    account.port = static_cast<uint16_t>(server.port());
    account.security = net::Security::none;
    account.user = "home";
    account.timeout_ms = 2000;
    account.secret = [](loop::CancelToken) -> loop::Task<auth::Secret> { co_return auth::Secret("hunter2"); };
    return account;
}

struct Place {
    explicit Place(std::string capabilities = "IMAP4rev1 IDLE UIDPLUS MOVE ESEARCH CONDSTORE")
        : server(loop, std::move(capabilities)), net(loop.loop()), learnt(std::make_shared<Learnt>()) {}

    TestLoop loop;
    ScriptedImap server;
    net::Net net;
    std::shared_ptr<Learnt> learnt;

    std::shared_ptr<Session> open() { return open(account_of(server)); }
    std::shared_ptr<Session> open(Account account) {
        auto shared = std::make_shared<const Account>(std::move(account));
        return loop.value_of(Session::open(net, shared, learnt, {}));
    }
    himalaya::Code failure() {
        try {
            open();
        } catch (Error& error) {
            return error.code;
        }
        return himalaya::Code::internal;
    }
};

struct Counter : FetchSink {
    void on_message(Session& session, const Fetch& message) override {
        uids.push_back(message.uid.value_or(0));
        if (stop_after == uids.size())
            session.pause();
    }
    std::vector<uint32_t> uids;
    size_t stop_after = 0;
};

FetchRequest request_for(UidSet uids) {
    FetchRequest request;
    request.folder = "INBOX";
    request.uids = std::move(uids);
    request.wants.flags = true;
    return request;
}

} // namespace

TEST_CASE("a session logs in and asks nothing it was told already") {
    Place place;
    auto session = place.open();
    REQUIRE(session->has(Cap::move));
    REQUIRE(place.server.heard.size() == 1);
    REQUIRE(place.server.heard[0].starts_with("AUTHENTICATE PLAIN "));
}

TEST_CASE("the secret is not in the log of the wire") {
    Place place;
    std::string log;
    auto account = account_of(place.server);
    account.log = [&log](std::string_view line) { log.append(line).append("\n"); };
    place.open(account);
    REQUIRE(log.find("AUTHENTICATE PLAIN ****") != std::string::npos);
    REQUIRE(log.find("aHVudGVyMg") == std::string::npos);
    REQUIRE(log.find("AGhvbWUA") == std::string::npos);
}

TEST_CASE("what is wrong with a server is said by the right code") {
    Place garbage;
    garbage.server.greeting = "220 smtp.example.org ESMTP\r\n";
    REQUIRE(garbage.failure() == himalaya::Code::protocol);
    Place refused;
    refused.server.on("AUTHENTICATE", "% NO [AUTHENTICATIONFAILED] wrong\r\n");
    REQUIRE(refused.failure() == himalaya::Code::auth);
    Place goodbye;
    goodbye.server.greeting = "* BYE overloaded\r\n";
    REQUIRE(goodbye.failure() == himalaya::Code::offline);
    Place chatter; // never an answer, but never silent either
    chatter.server.on("AUTHENTICATE", "");
    auto account = account_of(chatter.server);
    account.timeout_ms = 300;
    loop::Timer timer(chatter.loop.loop());
    timer.start(20, 20, [&] { chatter.server.say("* OK Still here\r\n"); });
    try {
        chatter.open(account);
        FAIL("it must not open");
    } catch (Error& error) {
        REQUIRE(error.code == himalaya::Code::timeout);
    }
    timer.stop();
}

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

TEST_CASE("an empty folder has nothing to fetch, whatever the server says to *") {
    Place place;
    place.server.on("SELECT", "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n% OK\r\n");
    place.server.on("UID FETCH", "% BAD no such message\r\n");
    auto session = place.open();
    Counter counter;
    REQUIRE(place.loop.value_of(fetch(session, request_for(*UidSet::parse("1:*")), counter, {})).messages ==
            0);
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

TEST_CASE("a folder made anew is not changed by what was meant for the old one") {
    Place place;
    auto session = place.open();
    Target target{"INBOX", UidSet{{1, 1}}, 99};
    StoreChange change{{"\\Seen"}, {}};
    auto task = [](auto s, auto t, auto c) -> loop::Task<void> { co_await store(s, t, c, {}); };
    auto error = place.loop.run(task(session, target, change));
    REQUIRE(error->code == himalaya::Code::uidvalidity);
    REQUIRE(place.server.count("UID STORE") == 0);
}

TEST_CASE("MODIFIED names the messages that somebody else changed") {
    Place place;
    place.server.on("UID STORE", "% OK [MODIFIED 2,4] conditional\r\n");
    auto session = place.open();
    StoreChange change{{"\\Seen"}, {}, 12};
    auto result = place.loop.value_of(store(session, Target{"INBOX", UidSet{{1, 5}}}, change, {}));
    REQUIRE(result.modified.text() == "2,4");
    REQUIRE(place.server.heard.back() == "UID STORE 1:5 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen)");
}

TEST_CASE("without MOVE a message is copied, marked and expunged, in that order") {
    Place place("IMAP4rev1 UIDPLUS");
    place.server.on("UID COPY", "% OK [COPYUID 3 4 40] x\r\n");
    place.server.on("UID STORE", "% OK\r\n");
    place.server.on("UID EXPUNGE", "% OK\r\n");
    auto session = place.open();
    auto result = place.loop.value_of(move(session, Target{"INBOX", UidSet{{4, 4}}}, "Archive", {}));
    REQUIRE(result.expunged);
    REQUIRE(result.pairs.size() == 1);
    REQUIRE(result.pairs[0].target == 40);
    auto& heard = place.server.heard;
    REQUIRE(heard[heard.size() - 3].starts_with("UID COPY 4 "));
    REQUIRE(heard[heard.size() - 2].starts_with("UID STORE 4 +FLAGS.SILENT (\\Deleted)"));
    REQUIRE(heard[heard.size() - 1] == "UID EXPUNGE 4");
}

TEST_CASE("a failed copy marks nothing") {
    Place place("IMAP4rev1 UIDPLUS");
    place.server.on("UID COPY", "% NO [TRYCREATE] no such folder\r\n");
    auto session = place.open();
    auto task = [](auto s) -> loop::Task<void> {
        Target target{"INBOX", UidSet{{4, 4}}};
        co_await move(s, target, "Gone", {});
    };
    REQUIRE(place.loop.run(task(session))->code == himalaya::Code::not_found);
    REQUIRE(place.server.count("UID STORE") == 0);
}

TEST_CASE("without UIDPLUS others' marked messages are never expunged with ours") {
    Place place("IMAP4rev1");
    place.server.on("UID COPY", "% OK\r\n");
    place.server.on("UID STORE", "% OK\r\n");
    place.server.on("UID SEARCH", "* SEARCH 4 9\r\n% OK\r\n");
    place.server.on("EXPUNGE", "% OK\r\n");
    auto session = place.open();
    auto kept = place.loop.value_of(move(session, Target{"INBOX", UidSet{{4, 4}}}, "Archive", {}));
    REQUIRE_FALSE(kept.expunged);
    REQUIRE(place.server.count("EXPUNGE") == 0);
    place.server.on("UID SEARCH", "* SEARCH 4\r\n% OK\r\n");
    auto gone = place.loop.value_of(move(session, Target{"INBOX", UidSet{{4, 4}}}, "Archive", {}));
    REQUIRE(gone.expunged);
}

TEST_CASE("SEARCH RETURN that is refused is asked the plain way, and not tried again") {
    Place place;
    place.server.on("UID SEARCH", [](const std::string& line) -> std::string {
        return line.find("RETURN") != std::string::npos ? "% BAD syntax\r\n" : "* SEARCH 3 1 2\r\n% OK\r\n";
    });
    auto session = place.open();
    SearchRequest request;
    request.folder = "INBOX";
    request.criteria = {{"UNSEEN", {}}};
    REQUIRE(place.loop.value_of(search(session, request, {})).text() == "1:3");
    REQUIRE(place.loop.value_of(search(session, request, {})).text() == "1:3");
    REQUIRE(place.server.count("UID SEARCH RETURN") == 1);
}

TEST_CASE("ESEARCH that says nothing at all is not believed") {
    Place place;
    place.server.on("UID SEARCH", [](const std::string& line) -> std::string {
        return line.find("RETURN") != std::string::npos ? "% OK\r\n" : "* SEARCH 8\r\n% OK\r\n";
    });
    auto session = place.open();
    SearchRequest request;
    request.folder = "INBOX";
    REQUIRE(place.loop.value_of(search(session, request, {})).text() == "8");
}

TEST_CASE("a value typed by a user cannot become another search key") {
    Place place;
    place.server.on("UID SEARCH", "* SEARCH\r\n% OK\r\n");
    auto session = place.open();
    SearchRequest request;
    request.folder = "INBOX";
    request.criteria = {{"FROM", {"x\" DELETED \""}}, {"SINCE", {"1-Feb-2024"}}};
    place.loop.value_of(search(session, request, {}));
    REQUIRE(place.server.heard.back() ==
            "UID SEARCH RETURN (ALL) FROM \"x\\\" DELETED \\\"\" SINCE 1-Feb-2024");
    request.criteria = {{"SINCE", {"1-Feb-2024 DELETED"}}};
    auto task = [](auto s, auto r) -> loop::Task<void> { co_await search(s, r, {}); };
    REQUIRE(place.loop.run(task(session, request))->code == himalaya::Code::invalid);
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

TEST_CASE("a pool opens what it needs, shares when it may not open more, and says so") {
    Place place;
    auto account = account_of(place.server);
    account.pool_size = 3;
    auto pool = std::make_shared<Pool>(place.net, account);
    REQUIRE_FALSE(place.loop.run(pool->open({})));
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

TEST_CASE("a lost connection is replaced, and the folders are asked for anew") {
    Place place;
    place.server.on("LIST", "* LIST () \"/\" INBOX\r\n% OK\r\n");
    auto pool = std::make_shared<Pool>(place.net, account_of(place.server));
    REQUIRE_FALSE(place.loop.run(pool->open({})));
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
    auto pool = std::make_shared<Pool>(place.net, account_of(place.server));
    REQUIRE_FALSE(place.loop.run(pool->open({})));
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

TEST_CASE("a watch idles, tells of news at once, and renews with one write") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    auto account = account_of(place.server);
    account.renew_ms = 50;
    auto pool = std::make_shared<Pool>(place.net, account);
    REQUIRE_FALSE(place.loop.run(pool->open({})));
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

TEST_CASE("a watch whose IDLE is refused polls") {
    Place place;
    place.server.on("IDLE", "% BAD what\r\n");
    auto account = account_of(place.server);
    account.poll_ms = 20;
    auto pool = std::make_shared<Pool>(place.net, account);
    REQUIRE_FALSE(place.loop.run(pool->open({})));
    pool->watch().add("INBOX", [](const Change&) {});
    REQUIRE(place.loop.run_until([&] { return pool->stats().mode == "poll"; }));
    REQUIRE(place.loop.run_until([&] { return place.server.count("NOOP") >= 2; }));
    pool->close();
}

TEST_CASE("a watch comes back and tells what changed while it was away") {
    Place place;
    place.server.on("IDLE", "+ idling\r\n");
    auto pool = std::make_shared<Pool>(place.net, account_of(place.server));
    REQUIRE_FALSE(place.loop.run(pool->open({})));
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
    account.timeout_ms = 200;
    auto pool = std::make_shared<Pool>(place.net, account);
    REQUIRE_FALSE(place.loop.run(pool->open({})));
    pool->watch().add("INBOX", [](const Change&) {});
    REQUIRE(place.loop.run_until([&] { return place.server.count("IDLE") >= 1; }));
    place.server.on("IDLE", "");
    place.server.on("NOOP", "");
    int before = place.server.connections;
    REQUIRE(place.loop.run_until([&] { return place.server.connections > before; }));
    pool->close();
}
