#include "imap/change.hpp"
#include "imap/folder.hpp"
#include "imap/search.hpp"

#include "catch.hpp"
#include "imap/scripted_session.hpp"

using namespace himalaya;
using namespace himalaya::imap;

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

TEST_CASE("a search that finds more than any folder has is not believed") {
    Place place;
    place.server.on("UID SEARCH", "* ESEARCH (TAG \"x\") UID ALL 1:4294967295\r\n% OK\r\n");
    auto session = place.open();
    SearchRequest request;
    request.folder = "INBOX";
    auto task = [](auto s, auto r) -> loop::Task<void> { co_await search(s, r, {}); };
    REQUIRE(place.loop.run(task(session, request))->code == himalaya::Code::protocol);
    REQUIRE(session->alive());
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

namespace {

std::vector<std::string> shelves(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i)
        names.push_back("Shelf " + std::to_string(i));
    return names;
}

std::string name_in(const std::string& line) {
    auto from = line.find('"');
    return line.substr(from, line.find('"', from + 1) + 1 - from);
}

} // namespace

TEST_CASE("two hundred folders are asked about before the first answer is there") {
    Place place;
    place.server.on("STATUS", "");
    auto session = place.open();
    std::optional<Error> ended;
    bool done = false;
    auto task = [](auto s) -> loop::Task<void> {
        auto asking = status(s, shelves(200), {});
        (void)co_await asking;
    };
    loop::start(task(session), [&](std::optional<Error> error) {
        ended = std::move(error);
        done = true;
    });
    REQUIRE(place.loop.run_until([&] { return place.server.count("STATUS") == 200; }));
    REQUIRE_FALSE(done);
    session->close(make_error(himalaya::Code::cancelled, "the test is over"));
    REQUIRE(place.loop.run_until([&] { return done; }));
    REQUIRE(ended);
    // It may have been the many questions that ended the connection.
    REQUIRE_FALSE(place.learnt->burst);
}

TEST_CASE("a server that refuses many questions at once is asked again, a few at a time") {
    Place place;
    int heard = 0;
    place.server.on("STATUS", [&heard](const std::string& line) -> std::string {
        ++heard;
        if (heard > 20 && heard <= 100)
            return "% BAD too many commands\r\n";
        return "* STATUS " + name_in(line) + " (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 2)\r\n% OK\r\n";
    });
    auto session = place.open();
    auto told = place.loop.value_of(status(session, shelves(100), {}));
    REQUIRE(told.size() == 100);
    for (const auto& one : told) {
        REQUIRE(one);
        REQUIRE(one->messages == 4u);
    }
    REQUIRE(place.server.count("STATUS") == 180);
    REQUIRE(session->engine().burst() == 0);
    auto second = place.open();
    REQUIRE(second->engine().burst() == 0);
}
