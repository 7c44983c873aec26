#include "catch.hpp"
#include "mailbox.hpp"

#include "store/bodies.hpp"
#include "store/feed.hpp"
#include "store/salvage.hpp"
#include "store/store.hpp"
#include "support/test_loop.hpp"

#include <array>
#include <fstream>

using namespace himalaya;
using namespace himalaya::store;

TEST_CASE("a store of a newer version is refused, not changed") {
    Folderful place;
    {
        Database database(place.path(), Database::Mode::write);
        database.execute("PRAGMA user_version=99");
    }
    Database database(place.path(), Database::Mode::write);
    REQUIRE_THROWS_AS(open_schema(database), Error);
    auto version = database.prepare_once("PRAGMA user_version");
    version.step();
    REQUIRE(version.integer(0) == 99);
}

TEST_CASE("opening twice changes nothing, and the promises of durability hold") {
    Mailbox box;
    box.bring(box.inbox, {letter(1)});
    Database again(box.path(), Database::Mode::write);
    set_pragmas(again, Database::Mode::write);
    open_schema(again);
    REQUIRE(list_page(again, box.inbox, {}).items.size() == 1);
    auto value = [&](const char* sql) {
        auto row = again.prepare_once(sql);
        row.step();
        return row.string(0);
    };
    REQUIRE(value("PRAGMA journal_mode") == "wal");
    REQUIRE(value("PRAGMA synchronous") == "2");
    REQUIRE(value("PRAGMA auto_vacuum") == "2");
}

TEST_CASE("a folder that does not exist is one clear error") {
    try {
        Database database("/nonexistent/mail.db", Database::Mode::write);
        FAIL("opened");
    } catch (const Error& error) {
        REQUIRE(error.code == Code::store);
        REQUIRE_FALSE(error.hint.empty());
    }
}

TEST_CASE("a full disk is said to be one, and what was committed stays") {
    Mailbox box;
    box.bring(box.inbox, {letter(1)});
    auto pages = box.database.prepare_once("PRAGMA page_count");
    pages.step();
    auto limit = fmt::format("PRAGMA max_page_count={}", pages.integer(0) + 2);
    box.database.execute(limit.c_str());
    Bodies bodies(box.folder() / "large");
    auto text = noise(900'000);
    try {
        Change change(box.database);
        auto came = bring_in(change, box.inbox, std::vector{letter(2)});
        Bodies::attach(change, came.fresh[0], bodies.pack(text));
        change.commit();
        FAIL("written");
    } catch (const Error& error) {
        REQUIRE(error.code == Code::store);
        REQUIRE(error.message.find("full") != std::string::npos);
    }
    REQUIRE(box.subjects(box.inbox) == std::vector<std::string>{"Letter 1"});
}

TEST_CASE("a damaged store is set aside and the user's unfinished ops are carried over") {
    Folderful place;
    Id moved = 0;
    {
        Database database(place.path(), Database::Mode::write);
        set_pragmas(database, Database::Mode::write);
        open_schema(database);
        Change change(database);
        keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                              {.path = "Trash", .remote = "Trash", .role = "trash"}});
        auto inbox = folder_of(database, "INBOX")->id;
        std::vector<Arrival> letters;
        for (int i = 1; i <= 500; ++i)
            letters.push_back(letter(i));
        auto ids = bring_in(change, inbox, letters).fresh;
        moved = ids[0];
        move(change, inbox, std::span(ids).first(1), folder_of(database, "Trash")->id, {"this", 5});
        change.commit();
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    REQUIRE(is_sound(place.path()));
    {
        // Wreck the index pages in the middle of the file.
        std::fstream file(place.path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(place.path()) / 2));
        std::string garbage(20'000, '\xee');
        file.write(garbage.data(), static_cast<std::streamsize>(garbage.size()));
    }
    REQUIRE_FALSE(is_sound(place.path()));
    auto salvage = set_aside(place.path(), 1'700'000'000);
    REQUIRE(salvage.ops == 1);
    REQUIRE(std::filesystem::exists(salvage.set_aside));
    REQUIRE(is_sound(place.path()));
    Database database(place.path(), Database::Mode::write);
    auto ops = ready_ops(database, INT64_MAX, 10);
    REQUIRE(ops.size() == 1);
    REQUIRE(ops[0].targets.at(0).message == moved);
    REQUIRE(ops[0].targets.at(0).uid == 1);
}

TEST_CASE("what SQLite does not call damage is damage where only our own hand can have been") {
    const std::array<const char*, 5> wounds = {"UPDATE op SET state = 'queuod' WHERE kind = 'move'",
                                               "UPDATE op SET kind = 'movM' WHERE kind = 'move'",
                                               "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = "
                                               "replace(sql, 'remove_flags', 'remote_flags')",
                                               "PRAGMA user_version=1", "PRAGMA user_version=1241513986"};
    for (const char* wound : wounds) {
        INFO(wound);
        Folderful place;
        Id draft = 0;
        auto home = place.folder() / "home";
        std::filesystem::create_directories(home);
        auto path = (home / "mail.db").string();
        {
            Database database(path, Database::Mode::write);
            set_pragmas(database, Database::Mode::write);
            open_schema(database);
            Change change(database);
            keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                                  {.path = "Trash", .remote = "Trash", .role = "trash"}});
            auto inbox = folder_of(database, "INBOX")->id;
            auto ids = bring_in(change, inbox, std::vector{letter(1), letter(2)}).fresh;
            move(change, inbox, ids, folder_of(database, "Trash")->id, {"this", 5});
            auto refused = append(change, inbox, letter(0), {"this", 6}, draft);
            refuse(change, *op_of(database, refused), "too large");
            change.commit();
            database.execute(wound);
        }
        REQUIRE_FALSE(is_sound(path));
        // The first that comes upon it says so, and the next start at the latest has a store that works.
        test::TestLoop loop;
        std::string said;
        for (int start = 0; start < 2; ++start) {
            auto store = loop.value_of(Store::open(loop, Place{home}, {}));
            said += store->noticed();
            try {
                loop.value_of(store->read<int>(
                    [](Database& database) {
                        return static_cast<int>(ready_ops(database, INT64_MAX, 100).size());
                    },
                    {}));
            } catch (const Error& error) {
                REQUIRE(start == 0);
                REQUIRE(error.code == Code::store);
            }
            store->close();
        }
        REQUIRE(said.find("was damaged") != std::string::npos);
        REQUIRE(is_sound(path));
        if (std::string_view(wound).find("sqlite_master") != std::string_view::npos)
            continue;
        // What the server did not take is the user's all the same, and nowhere else.
        Database database(path, Database::Mode::write);
        auto mine = database.prepare("SELECT pending FROM message WHERE id = ?");
        REQUIRE(mine.bind(draft).step());
        REQUIRE(mine.integer(0) == 1);
    }
}

TEST_CASE("an op in any state that there is makes no store doubtful") {
    Folderful place;
    auto home = place.folder() / "home";
    std::filesystem::create_directories(home);
    test::TestLoop loop;
    Id inbox = 0, trash = 0;
    std::vector<Id> ids;
    for (int start = 0; start < 7; ++start) {
        auto store = loop.value_of(Store::open(loop, Place{home}, {}));
        REQUIRE(store->noticed().empty());
        loop.value_of(store->write<int>(
            [&](Change& change) {
                auto& database = change.database();
                const Author me{"this", 5};
                if (start == 0) {
                    keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                                          {.path = "Trash", .remote = "Trash", .role = "trash"}});
                    inbox = folder_of(database, "INBOX")->id;
                    trash = folder_of(database, "Trash")->id;
                    ids = bring_in(change, inbox, std::vector{letter(1), letter(2), letter(3)}).fresh;
                } else if (start == 1) { // queued
                    move(change, inbox, std::span(ids).first(1), trash, me);
                } else if (start == 2) {
                    mark_sent(change, ready_ops(database, INT64_MAX, 9).at(0).id, 7);
                } else if (start == 3) { // done
                    auto op = ready_ops(database, INT64_MAX, 9).at(0);
                    finish_target(change, op, op.targets.at(0), 11);
                } else if (start == 4) { // undone, by its opposite
                    REQUIRE(undo(change, me));
                } else if (start == 5) { // undone, and the opposite refused
                    flag(change, inbox, std::span(ids).subspan(1, 1), {.add = SEEN | FLAGGED}, me);
                    REQUIRE(undo(change, me));
                    auto op = ready_ops(database, INT64_MAX, 9).at(0);
                    refuse(change, op, "no");
                }
                return 0;
            },
            {}));
        store->close();
        REQUIRE(is_sound((home / "mail.db").string()));
    }
}

TEST_CASE("a file that never was a database is set aside too") {
    Folderful place;
    std::ofstream(place.path()) << std::string(5000, 'x');
    REQUIRE_FALSE(is_sound(place.path()));
    auto salvage = set_aside(place.path(), 7);
    REQUIRE(salvage.ops == 0);
    REQUIRE(is_sound(place.path()));
}

TEST_CASE("a store of version 1 keeps its mail, and its new mail is news") {
    Folderful place;
    Id inbox = 0;
    {
        Database database(place.path(), Database::Mode::write);
        set_pragmas(database, Database::Mode::write);
        open_schema(database);
        Change change(database);
        keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                              {.path = "New", .remote = "New"}});
        inbox = folder_of(database, "INBOX")->id;
        auto ids = bring_in(change, inbox, std::vector{letter(1), letter(2)}).fresh;
        Bodies bodies(place.folder() / "large");
        Bodies::attach(change, ids[0], bodies.pack("kept"));
        Bodies::attach(change, ids[1], bodies.pack("lost"));
        database.prepare("UPDATE message SET body = NULL WHERE id = ?").bind(ids[1]).run();
        Progress progress;
        progress.synced_at = 5;
        note_progress(change, inbox, progress);
        change.commit();
        // As version 1 was.
        database.execute(
            "DROP TABLE loose; ALTER TABLE request DROP COLUMN heard_at; DROP INDEX message_list;"
            "CREATE INDEX message_list ON message(folder, arrived DESC, id DESC) WHERE hidden = 0;"
            "DELETE FROM fact WHERE name LIKE 'news from%'; PRAGMA user_version=1");
    }
    Database database(place.path(), Database::Mode::write);
    set_pragmas(database, Database::Mode::write);
    open_schema(database);
    REQUIRE(list_page(database, inbox, {}).items.size() == 2);
    REQUIRE(list_page(database, inbox, {.thread = true}).items.size() == 2);
    auto loose = database.prepare_once("SELECT count(*) FROM loose");
    REQUIRE(loose.step());
    REQUIRE(loose.integer(0) == 1);
    auto seq = last_seq(database);
    auto last = last_message(database);
    Change change(database);
    bring_in(change, inbox, std::vector{letter(3)});
    bring_in(change, folder_of(database, "New")->id, std::vector{letter(1)});
    change.commit();
    auto news = news_since(database, seq, 100, last);
    REQUIRE(news.fresh.size() == 1); // the other folder was never read to its end
    REQUIRE(news.fresh[0].folder == inbox);
    REQUIRE(news.fresh[0].messages.size() == 1);
}
