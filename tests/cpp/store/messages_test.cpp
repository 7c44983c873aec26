#include "catch.hpp"
#include "mailbox.hpp"

#include "store/feed.hpp"
#include "store/packing.hpp"

using namespace himalaya;
using namespace himalaya::store;

TEST_CASE("messages that come are listed newest first and counted") {
    Mailbox box;
    auto seen = letter(2);
    seen.flags = SEEN;
    box.bring(box.inbox, {letter(1), seen, letter(3)});
    REQUIRE(box.subjects(box.inbox) == std::vector<std::string>{"Letter 3", "Letter 2", "Letter 1"});
    REQUIRE(box.folder_row(box.inbox).total == 3);
    REQUIRE(box.folder_row(box.inbox).unread == 2);
}

TEST_CASE("a message told of twice is one message") {
    Mailbox box;
    auto first = box.bring(box.inbox, {letter(1)});
    auto again = letter(1);
    again.flags = SEEN | FLAGGED;
    Change change(box.database);
    auto came = bring_in(change, box.inbox, std::vector{again});
    change.commit();
    REQUIRE(came.fresh.empty());
    REQUIRE(came.updated == 1);
    REQUIRE(box.row(first[0]).flags == (SEEN | FLAGGED));
    REQUIRE(box.folder_row(box.inbox).total == 1);
    REQUIRE(box.folder_row(box.inbox).unread == 0);
}

TEST_CASE("what was not committed never was") {
    Mailbox box;
    {
        Change change(box.database);
        bring_in(change, box.inbox, std::vector{letter(1)});
    }
    REQUIRE(box.subjects(box.inbox).empty());
    REQUIRE(box.folder_row(box.inbox).total == 0);
}

TEST_CASE("expunged messages leave, others stay, and readers are told which") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2), letter(3)});
    auto before = last_seq(box.database);
    Change change(box.database);
    std::vector<std::int64_t> uids{2, 77};
    REQUIRE(take_away(change, box.inbox, uids) == 1);
    change.commit();
    REQUIRE(box.subjects(box.inbox) == std::vector<std::string>{"Letter 3", "Letter 1"});
    auto news = news_since(box.database, before, 100);
    REQUIRE(news.left.size() == 1);
    REQUIRE(news.left[0].message == ids[1]);
    REQUIRE(news.folders.size() == 1);
    REQUIRE(news.folders[0].total == 2);
}

TEST_CASE("an id is never used again") {
    Mailbox box;
    auto first = box.bring(box.inbox, {letter(1)});
    Change change(box.database);
    remove_row(change, first[0]);
    change.commit();
    REQUIRE(box.bring(box.inbox, {letter(2)})[0] > first[0]);
}

TEST_CASE("flags and keywords follow the server, and only changed rows get a new seq") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2)});
    auto before = last_seq(box.database);
    Change change(box.database);
    std::vector<FlagNews> news{{1, SEEN, {"$Work", "$Label1"}}, {2, 0, {}}, {99, SEEN, {}}};
    REQUIRE(bring_flags(change, box.inbox, news) == 1);
    change.commit();
    REQUIRE(box.row(ids[0]).keywords == std::vector<std::string>{"$Label1", "$Work"});
    auto told = news_since(box.database, before, 100);
    REQUIRE(told.messages.size() == 1);
    REQUIRE(told.messages[0].id == ids[0]);
    REQUIRE(box.folder_row(box.inbox).unread == 1);
}

TEST_CASE("an attachment mark of ours survives flag news") {
    Mailbox box;
    auto with = letter(1);
    with.flags = HAS_ATTACHMENT;
    auto ids = box.bring(box.inbox, {with});
    Change change(box.database);
    std::vector<FlagNews> news{{1, SEEN, {}}};
    bring_flags(change, box.inbox, news);
    change.commit();
    REQUIRE(box.row(ids[0]).flags == (SEEN | HAS_ATTACHMENT));
}

TEST_CASE("too many news are said to be too many") {
    Mailbox box;
    auto before = last_seq(box.database);
    std::vector<Arrival> many;
    for (int i = 1; i <= 30; ++i)
        many.push_back(letter(i));
    box.bring(box.inbox, many);
    REQUIRE(news_since(box.database, before, 10).too_many);
    REQUIRE_FALSE(news_since(box.database, before, 30).too_many);
}

TEST_CASE("control characters of a sender reach no row") {
    Mailbox box;
    auto evil = letter(1);
    evil.subject = "a\x1b[2Jb\nc";
    evil.from.name = "x\x1e\x1fy";
    evil.to = {{"n\x1e", "a\x1f@example.org"}};
    auto ids = box.bring(box.inbox, {evil});
    auto row = box.row(ids[0]);
    REQUIRE(row.subject == "ab c");
    REQUIRE(row.from.name == "xy");
    REQUIRE(row.to == std::vector<Address>{{"n", "a@example.org"}});
}

TEST_CASE("keywords are a set") {
    REQUIRE(pack_keywords({"b", "a", "b", ""}) == "a b");
    REQUIRE(changed_keywords("a b", "c", "a") == "b c");
    REQUIRE(unpack_keywords("").empty());
}

TEST_CASE("a missing folder is marked gone and comes back as itself") {
    Mailbox box;
    box.bring(box.archive, {letter(1)});
    auto keep = [&](const std::vector<Folder>& listed) {
        Change change(box.database);
        keep_folders(change, listed);
        change.commit();
    };
    Folder inbox{.path = "INBOX", .remote = "INBOX", .role = "inbox"};
    Folder archive{.path = "Archive", .remote = "Archive", .role = "archive"};
    keep({inbox});
    REQUIRE_FALSE(folder_of(box.database, "Archive"));
    keep({inbox, archive});
    REQUIRE(folder_of(box.database, "Archive")->id == box.archive);
    REQUIRE(box.subjects(box.archive).size() == 1);
}
