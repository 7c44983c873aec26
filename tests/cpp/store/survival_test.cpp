// A store that is older than the program, and one whose file was damaged anywhere: the user's unfinished changes survive.
#include "catch.hpp"
#include "mailbox.hpp"
#include "version_1.hpp"

#include "store/store.hpp"
#include "support/test_loop.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>

using namespace himalaya;
using namespace himalaya::store;
using himalaya::test::TestLoop;

namespace {

// One for each older version.
constexpr std::array STORES = {STORE_OF_VERSION_1};

// Names and columns of all tables, names and columns of all indexes: what two schemas have to share.
std::set<std::string> shape(Database& database) {
    std::set<std::string> all;
    auto row = database.prepare_once(
        "SELECT m.type || ' ' || m.name || ' ' || m.tbl_name || ' ' || c.name || ' ' || c.type || ' ' || "
        "coalesce(c.dflt_value, '') FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' "
        "UNION ALL SELECT m.type || ' ' || m.name || ' ' || m.tbl_name || ' ' || coalesce(c.name, '') || ' ' "
        "|| c.seqno "
        "FROM sqlite_master m, pragma_index_info(m.name) c WHERE m.type = 'index'");
    while (row.step())
        all.insert(row.string(0));
    return all;
}

constexpr int OPS = 12;

// 300 messages, of which the first are on their way to the trash; all of it in the one file.
void fill(const std::filesystem::path& path) {
    Database database(path, Database::Mode::write);
    set_pragmas(database, Database::Mode::write);
    open_schema(database);
    Change change(database);
    keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                          {.path = "Trash", .remote = "Trash", .role = "trash"}});
    std::vector<Arrival> letters;
    for (int i = 1; i <= 300; ++i)
        letters.push_back(letter(i));
    auto inbox = folder_of(database, "INBOX")->id;
    auto ids = bring_in(change, inbox, letters).fresh;
    for (std::size_t i = 0; i < OPS; ++i)
        move(change, inbox, std::span(ids).subspan(i, 1), folder_of(database, "Trash")->id, {"this", 5});
    change.commit();
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

} // namespace

TEST_CASE("a store of every older version is brought to this one with its mail and what the user did") {
    static_assert(STORES.size() == SCHEMA_VERSION - 1, "the version before needs its store here");
    Mailbox fresh;
    for (const auto* old : STORES) {
        Folderful place;
        {
            Database database(place.path(), Database::Mode::write);
            database.execute("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL");
            database.execute(old);
        }
        Database database(place.path(), Database::Mode::write);
        set_pragmas(database, Database::Mode::write);
        open_schema(database);
        auto version = database.prepare_once("PRAGMA user_version");
        REQUIRE(version.step());
        REQUIRE(version.integer(0) == SCHEMA_VERSION);
        REQUIRE(shape(database) == shape(fresh.database));
        auto inbox = *folder_of(database, "INBOX");
        REQUIRE(inbox.known == "1:3");
        REQUIRE(inbox.uidvalidity == 77);
        auto page = list_page(database, inbox.id, {});
        REQUIRE(page.items.size() == 2);
        REQUIRE(page.items[1].subject == "Letter 1");
        REQUIRE(page.items[1].keywords == std::vector<std::string>{"todo"});
        auto ops = ready_ops(database, INT64_MAX, 10);
        REQUIRE(ops.size() == 2);
        REQUIRE(ops[0].targets.at(0).uid == 2);
        REQUIRE(ops[1].state == "sent");
        REQUIRE(ops[1].targets.at(0).uid == 3);
    }
}

TEST_CASE("a store that is damaged anywhere opens, and says of every unfinished change whether it was kept") {
    const char* soak = std::getenv("HIMALAYA_SOAK");
    const int rounds = soak && *soak == '1' ? 2'000 : 40;
    Folderful original;
    fill(original.path());
    // --rng-seed N brings a run back.
    auto seed = Catch::rngSeed() ? Catch::rngSeed() : static_cast<unsigned>(soak ? time(nullptr) : 1);
    std::mt19937 random(seed);
    auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
    auto size = static_cast<std::size_t>(std::filesystem::file_size(original.path()));
    int noticed = 0, kept = 0;
    for (int round = 0; round < rounds; ++round) {
        INFO("seed " << seed << ", round " << round);
        TestLoop loop;
        Folderful place;
        auto home = place.folder() / "home";
        std::filesystem::create_directories(home);
        std::filesystem::copy_file(original.path(), home / "mail.db");
        {
            std::fstream file(home / "mail.db", std::ios::in | std::ios::out | std::ios::binary);
            for (std::size_t hits = 1 + below(3); hits > 0; --hits) {
                std::string garbage(1 + below(below(4) == 0 ? 9'000 : 40), '\0');
                for (char& c : garbage)
                    c = static_cast<char>(random());
                file.seekp(static_cast<std::streamoff>(below(size - garbage.size())));
                file.write(garbage.data(), static_cast<std::streamsize>(garbage.size()));
            }
        }
        if (below(3) == 0)
            std::filesystem::resize_file(home / "mail.db", below(size));
        // As after an evening's use: whatever reads or writes may come upon the damage, and the next start mends it.
        std::string said, complaint;
        std::int64_t waiting = -1;
        for (int start = 0; start < 3 && waiting < 0; ++start) {
            std::shared_ptr<Store> store;
            try {
                store = loop.value_of(Store::open(loop, Place{home}, {}));
            } catch (const Error& error) {
                FAIL(error.message << " " << error.detail);
            }
            said += store->noticed();
            try {
                loop.value_of(store->read<int>(
                    [](Database& database) {
                        for (const auto& folder : all_folders(database))
                            list_page(database, folder.id, {.page_size = 1000});
                        auto all = database.prepare_once("PRAGMA quick_check(1)");
                        if (!all.step() || all.text(0) != "ok")
                            database.fail("check the store", SQLITE_CORRUPT);
                        return static_cast<int>(ready_ops(database, INT64_MAX, 100).size());
                    },
                    {}));
                waiting = loop.value_of(store->write<std::int64_t>(
                    [](Change& change) {
                        keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                                              {.path = "Trash", .remote = "Trash", .role = "trash"},
                                              {.path = "New", .remote = "New"}});
                        return pending_ops(change.database());
                    },
                    {}));
            } catch (const Error& error) {
                complaint = error.message + " " + error.detail;
                INFO(complaint);
                REQUIRE(error.code == Code::store);
                bool told = error.detail.find("damaged") != std::string::npos ||
                            error.detail.find("doubtful") != std::string::npos;
                REQUIRE(told);
            }
            store->close();
        }
        INFO(complaint);
        REQUIRE(waiting >= 0);
        noticed += said.empty() ? 0 : 1;
        kept += static_cast<int>(waiting);
        if (waiting < OPS)
            REQUIRE(said.find("damaged") != std::string::npos);
    }
    // Most damage hits what can be fetched again.
    REQUIRE(noticed > rounds / 4);
    REQUIRE(kept > rounds * OPS / 3);
}

TEST_CASE("a store whose first page is gone keeps what waits for the server") {
    for (std::size_t bytes : {1, 16, 100, 101, 500, 4096}) {
        INFO(bytes << " bytes");
        TestLoop loop;
        Folderful place;
        auto home = place.folder() / "home";
        std::filesystem::create_directories(home);
        fill(home / "mail.db");
        {
            std::fstream file(home / "mail.db", std::ios::in | std::ios::out | std::ios::binary);
            file.write(std::string(bytes, '\x5a').data(), static_cast<std::streamsize>(bytes));
        }
        auto store = loop.value_of(Store::open(loop, Place{home}, {}));
        REQUIRE(store->noticed().find("12 of your unfinished changes were kept.") != std::string::npos);
        auto waiting = loop.value_of(
            store->read<std::int64_t>([](Database& database) { return pending_ops(database); }, {}));
        REQUIRE(waiting == OPS);
        store->close();
        for (const auto& entry : std::filesystem::directory_iterator(home))
            REQUIRE(entry.path().string().find("legible") == std::string::npos);
    }
}

TEST_CASE("a store of which nothing can be read says so") {
    TestLoop loop;
    Folderful place;
    auto home = place.folder() / "home";
    std::filesystem::create_directories(home);
    std::ofstream(home / "mail.db", std::ios::binary) << std::string(200'000, '\x5a');
    auto store = loop.value_of(Store::open(loop, Place{home}, {}));
    REQUIRE(
        store->noticed().find("0 of your unfinished changes were kept and no others could be looked for.") !=
        std::string::npos);
    store->close();
}
