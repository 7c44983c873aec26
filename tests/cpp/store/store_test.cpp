#include "catch.hpp"
#include "mailbox.hpp"

#include "store/requests.hpp"
#include "store/salvage.hpp"
#include "store/store.hpp"
#include "support/test_loop.hpp"

#include <fstream>
#include <latch>

using namespace himalaya;
using namespace himalaya::store;
using himalaya::test::TestLoop;

namespace {

std::shared_ptr<Store> open(TestLoop& loop, const Folderful& place) {
    return loop.value_of(Store::open(loop, Place{place.folder() / "home"}, {}));
}

Id make_inbox(TestLoop& loop, Store& store) {
    return loop.value_of(store.write<Id>(
        [](Change& change) {
            keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"}});
            return folder_of(change.database(), "INBOX")->id;
        },
        {}));
}

void bring(TestLoop& loop, Store& store, Id folder, std::int64_t uid) {
    auto count = loop.value_of(store.write<std::size_t>(
        [folder, uid](Change& change) {
            return bring_in(change, folder, std::vector{letter(uid)}).fresh.size();
        },
        {}));
    REQUIRE(count == 1);
}

} // namespace

TEST_CASE("two stores on one folder tell each other of every commit") {
    TestLoop loop;
    Folderful place;
    auto mine = open(loop, place);
    auto theirs = open(loop, place);
    std::vector<std::string> heard;
    theirs->listen([&](const News& news) {
        for (const auto& message : news.messages)
            heard.push_back(message.subject);
    });
    auto inbox = make_inbox(loop, *mine);
    bring(loop, *mine, inbox, 1);
    REQUIRE(loop.run_until([&] { return heard.size() == 1; }));
    bring(loop, *mine, inbox, 2);
    REQUIRE(loop.run_until([&] { return heard.size() == 2; }));
    REQUIRE(heard == std::vector<std::string>{"Letter 1", "Letter 2"});
}

TEST_CASE("one leads; the next leader raises the epoch, and the old one can do no harm") {
    TestLoop loop;
    Folderful place;
    auto first = open(loop, place);
    auto second = open(loop, place);
    REQUIRE(loop.value_of(first->lead({})));
    REQUIRE_FALSE(loop.value_of(second->lead({})));
    REQUIRE(loop.value_of(first->lead({})));
    first->give_up_lead();
    REQUIRE(loop.value_of(second->lead({})));
    auto late =
        loop.run(first->write_as_leader<void>([](Change& change) { change.set_fact("harm", 1); }, {}));
    REQUIRE(late);
    REQUIRE(late->code == Code::locked);
    auto harm =
        loop.value_of(second->write<std::int64_t>([](Change& change) { return change.fact("harm"); }, {}));
    REQUIRE(harm == 0);
    REQUIRE_FALSE(
        loop.run(second->write_as_leader<void>([](Change& change) { change.set_fact("good", 1); }, {})));
}

TEST_CASE("news of the leader before us, told late, does not end our lead") {
    TestLoop loop;
    Folderful place;
    auto first = open(loop, place);
    auto second = open(loop, place);
    for (int turn = 0; turn < 20; ++turn) {
        for (const auto& store : {first, second}) {
            REQUIRE(loop.value_of(store->lead({})));
            auto refused = loop.run(
                store->write_as_leader<void>([](Change& change) { change.set_fact("good", 1); }, {}));
            INFO((refused ? refused->message : ""));
            REQUIRE_FALSE(refused.has_value());
            REQUIRE(store->leads());
            store->give_up_lead();
        }
    }
}

TEST_CASE("a wish reaches the leader and the answer comes back") {
    TestLoop loop;
    Folderful place;
    auto leader = open(loop, place);
    auto other = open(loop, place);
    bool woken = false;
    leader->listen([&](const News&) { woken = true; });
    auto id = loop.value_of(other->write<Id>(
        [](Change& change) { return ask(change, "sync", R"({"kind":"inbox"})", "other", 100); }, {}));
    REQUIRE(loop.run_until([&] { return woken; }));
    auto wishes = loop.value_of(leader->read<std::vector<Request>>(
        [](Database& database) { return open_requests(database, 101); }, {}));
    REQUIRE(wishes.size() == 1);
    REQUIRE(wishes[0].id == id);
    REQUIRE_FALSE(loop.run(leader->write<void>([id](Change& change) { answer(change, id, "{}"); }, {})));
    auto reply = loop.value_of(other->write<std::optional<std::string>>(
        [id](Change& change) { return take_answer(change, id); }, {}));
    REQUIRE(reply == "{}");
    auto old = loop.value_of(leader->read<std::vector<Request>>(
        [](Database& database) { return open_requests(database, 100 + REQUEST_LIFE); }, {}));
    REQUIRE(old.empty());
}

TEST_CASE("an error inside a change undoes all of it and reaches who asked") {
    TestLoop loop;
    Folderful place;
    auto store = open(loop, place);
    make_inbox(loop, *store);
    auto error = loop.run(store->write<void>(
        [](Change& change) {
            keep_folders(change, {});
            throw make_error(Code::invalid, "no");
        },
        {}));
    REQUIRE(error->code == Code::invalid);
    auto folders = loop.value_of(
        store->read<std::vector<Folder>>([](Database& database) { return all_folders(database); }, {}));
    REQUIRE(folders.size() == 1);
}

TEST_CASE("a damaged store opens as a fresh one, says so once, and keeps the old file") {
    TestLoop loop;
    Folderful place;
    std::filesystem::create_directories(place.folder() / "home");
    std::ofstream(place.folder() / "home" / "mail.db") << std::string(9000, 'x');
    auto store = open(loop, place);
    REQUIRE(store->noticed().find("damaged") != std::string::npos);
    make_inbox(loop, *store);
    store->close();
    int kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator(place.folder() / "home"))
        kept += entry.path().string().find(".damaged-") != std::string::npos ? 1 : 0;
    REQUIRE(kept == 1);
    REQUIRE(open(loop, place)->noticed().empty());
}

TEST_CASE("who has a store open that another Neovim sets aside goes on in the new one") {
    TestLoop loop;
    Folderful place;
    auto mine = open(loop, place);
    auto theirs = open(loop, place);
    auto leading = [](Store& store) -> loop::Task<bool> {
        auto task = store.lead({});
        co_return co_await task;
    };
    REQUIRE(loop.value_of(leading(*theirs)));
    auto inbox = make_inbox(loop, *theirs);
    bring(loop, *theirs, inbox, 1);
    auto count = [](Database& database) -> std::int64_t {
        auto row = database.prepare("SELECT count(*) FROM message");
        return row.step() ? row.integer(0) : -1;
    };
    REQUIRE(loop.value_of(theirs->read<std::int64_t>(count, {})) == 1);
    bool told_anew = false;
    theirs->listen([&](const News& news) { told_anew = told_anew || news.too_many; });

    auto path = (place.folder() / "home" / "mail.db").string();
    auto salvage = set_aside(path, 4'000);
    REQUIRE(std::filesystem::exists(salvage.set_aside));
    REQUIRE(loop.value_of(mine->read<std::int64_t>(count, {})) == 0);

    // What the leader knew is of a store that is not there any more.
    auto as_leader = theirs->write_as_leader<void>([](Change&) {}, {});
    auto refused = loop.run(std::move(as_leader));
    REQUIRE(refused);
    CHECK(is_overtaken(*refused));
    // Its folder is the same one still, and no id is given a second time.
    auto brought = loop.value_of(theirs->write<Id>(
        [inbox](Change& change) { return bring_in(change, inbox, std::vector{letter(7)}).fresh.at(0); }, {}));
    CHECK(brought == 2);
    CHECK(loop.value_of(mine->read<std::int64_t>(count, {})) == 1);
    CHECK(loop.value_of(theirs->read<std::int64_t>(count, {})) == 1);
    REQUIRE(loop.run_until([&] { return told_anew && !theirs->leads(); }));
    REQUIRE(loop.value_of(leading(*theirs)));
    REQUIRE_FALSE(loop.run(theirs->write_as_leader<void>([](Change&) {}, {})));
}

TEST_CASE("a store that is deleted under a Neovim is begun anew, and nothing of before is taken for "
          "something in it") {
    TestLoop loop;
    Folderful place;
    auto store = open(loop, place);
    auto leading = [](Store& it) -> loop::Task<bool> {
        auto task = it.lead({});
        co_return co_await task;
    };
    REQUIRE(loop.value_of(leading(*store)));
    auto inbox = make_inbox(loop, *store);
    bring(loop, *store, inbox, 1);
    for (const char* tail : {"", "-wal", "-shm"})
        std::filesystem::remove((place.folder() / "home" / "mail.db").string() + tail);
    auto refused = loop.run(store->write_as_leader<void>([](Change&) {}, {}));
    REQUIRE(refused);
    CHECK(is_overtaken(*refused));
    auto anew = make_inbox(loop, *store);
    CHECK(anew > inbox);
    bring(loop, *store, anew, 1);
    auto last = loop.value_of(store->read<Id>([](Database& database) { return last_message(database); }, {}));
    CHECK(last > 1);
    REQUIRE(loop.run_until([&] { return !store->leads(); }));
    REQUIRE(loop.value_of(leading(*store)));
    REQUIRE_FALSE(loop.run(store->write_as_leader<void>([](Change&) {}, {})));
}

TEST_CASE("a query that nobody waits for any more ends") {
    TestLoop loop;
    Folderful place;
    auto store = open(loop, place);
    loop::CancelSource cancel;
    bool ended = false;
    loop::start(
        [](Store& mail, loop::CancelToken token) -> loop::Task<> {
            auto counting = mail.read<std::int64_t>(
                [](Database& database) {
                    auto endless =
                        database.prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                         "SELECT count(*) FROM n");
                    return endless.step() ? endless.integer(0) : 0;
                },
                token);
            co_await counting;
        }(*store, cancel.token()),
        [&](std::optional<Error> error) { ended = error && error->code == Code::cancelled; });
    cancel.cancel();
    REQUIRE(ended);
    store->close(); // joins the reader: an uninterrupted query would never end
}

TEST_CASE("an interrupted database ends what begins later as well") {
    Folderful place;
    Database database(place.path(), Database::Mode::write);
    database.interrupt();
    auto endless = database.prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                    "SELECT count(*) FROM n");
    REQUIRE_THROWS_AS(endless.step(), Error);
}

TEST_CASE("a leader that gives no sign is overtaken, and finds that out by itself") {
    TestLoop loop;
    Folderful place;
    auto stuck = open(loop, place);
    auto other = open(loop, place);
    stuck->instance = "stuck";
    other->instance = "other";
    std::vector<bool> told;
    stuck->on_lead = [&](bool leads) { told.push_back(leads); };
    REQUIRE(loop.value_of(stuck->lead({})));
    REQUIRE(loop.run_until([&] { return other->leader() == "stuck"; }));
    auto epoch = other->epoch();
    REQUIRE_FALSE(loop.value_of(other->take_over(epoch - 1, {}))); // somebody else was faster
    REQUIRE(loop.value_of(other->take_over(epoch, {})));
    REQUIRE(loop.run_until([&] { return !stuck->leads(); }));
    REQUIRE(told == std::vector<bool>{true, false});
    auto checked = loop.run(stuck->check_lead({}));
    REQUIRE(checked);
    REQUIRE(is_overtaken(*checked));
    REQUIRE_FALSE(loop.run(other->check_lead({})));
    REQUIRE_FALSE(loop.value_of(stuck->lead({})));
}

TEST_CASE("the lead goes to whoever waits for it, and not back to the one that gave it up") {
    TestLoop loop;
    Folderful place;
    auto first = open(loop, place);
    auto second = open(loop, place);
    REQUIRE(loop.value_of(first->lead({})));
    second->want_lead();
    first->give_up_lead();
    REQUIRE(loop.run_until([&] { return second->leads(); }));
    first->want_lead();
    second->close(); // as if it had ended
    REQUIRE(loop.run_until([&] { return first->leads(); }));
}

TEST_CASE(
    "a store closed behind the editor's back keeps its last commit, and frees its place when all is closed") {
    TestLoop loop;
    Folderful place;
    auto store = open(loop, place);
    auto other = open(loop, place);
    REQUIRE(loop.value_of(store->lead({})));
    auto inbox = make_inbox(loop, *store);
    std::latch begun(1), go_on(1);
    auto writing = [](Store& mail, std::function<void(Change&)> work) -> loop::Task<> {
        auto change = mail.write<void>([work](Change& in) { work(in); }, {});
        co_await change;
    };
    std::vector<std::optional<Error>> ended;
    auto end = [&](std::optional<Error> error) { ended.push_back(error); };
    loop::start(writing(*store,
                        [&](Change& change) {
                            begun.count_down();
                            go_on.wait();
                            bring_in(change, inbox, std::vector{letter(1)});
                        }),
                end);
    loop::start(writing(*store, [&](Change& change) { bring_in(change, inbox, std::vector{letter(2)}); }),
                end);
    begun.wait();
    store->close_behind();
    REQUIRE_FALSE(store->leads());
    REQUIRE(ended.size() == 1); // what had not begun
    REQUIRE(ended[0]->code == Code::cancelled);
    REQUIRE_FALSE(loop.value_of(other->lead({}))); // the commit still runs
    go_on.count_down();
    REQUIRE_FALSE(loop.run(store->closed({})));
    REQUIRE(ended.size() == 2);
    REQUIRE(ended[1]->code == Code::cancelled); // whole, but nobody is told any more
    REQUIRE(loop.value_of(other->lead({})));
    auto subjects = loop.value_of(other->read<std::vector<std::string>>(
        [](Database& database) {
            std::vector<std::string> found;
            auto rows = database.prepare("SELECT subject FROM message");
            while (rows.step())
                found.push_back(rows.string(0));
            return found;
        },
        {}));
    REQUIRE(subjects == std::vector<std::string>{"Letter 1"});
    store->close(); // no harm
}

TEST_CASE("a Neovim that exits waits for a store that is being closed") {
    TestLoop loop;
    Folderful place;
    auto store = open(loop, place);
    make_inbox(loop, *store);
    std::weak_ptr<Store> left = store;
    store->close_behind();
    store->close();
    REQUIRE_FALSE(std::filesystem::exists(Place{place.folder() / "home"}.database() + "-wal"));
    store.reset();
    loop.turn();
    REQUIRE(left.expired());
}

TEST_CASE("bodies without a message are swept, and the file becomes smaller") {
    TestLoop loop;
    Folderful place;
    auto store = open(loop, place);
    auto inbox = make_inbox(loop, *store);
    auto ids = loop.value_of(store->write<std::vector<Id>>(
        [&](Change& change) {
            std::vector<Arrival> letters;
            for (int uid = 1; uid <= 300; ++uid)
                letters.push_back(letter(uid));
            auto came = bring_in(change, inbox, letters).fresh;
            for (auto id : came)
                Bodies::attach(change, id, store->bodies().pack(noise(20'000) + std::to_string(id % 250)));
            return came;
        },
        {}));
    auto figures = [&] {
        return loop.value_of(store->read<std::vector<std::int64_t>>(
            [](Database& database) {
                auto row =
                    database.prepare("SELECT (SELECT count(*) FROM body), (SELECT count(*) FROM loose), "
                                     "(SELECT page_count FROM pragma_page_count)");
                row.step();
                return std::vector{row.integer(0), row.integer(1), row.integer(2)};
            },
            {}));
    };
    auto before = figures();
    REQUIRE(before[0] == 250);
    REQUIRE_FALSE(loop.run(store->sweep()));
    REQUIRE_FALSE(store->sweep_due());
    REQUIRE_FALSE(loop.run(store->write<void>(
        [&](Change& change) {
            for (std::size_t i = 0; i < 260; ++i)
                remove_row(change, ids[i]);
        },
        {})));
    REQUIRE(store->sweep_due());
    REQUIRE_FALSE(loop.run(store->sweep()));
    auto after = figures();
    REQUIRE(after[0] == 40);
    REQUIRE(after[1] == 0);
    REQUIRE(after[2] < before[2] / 3);
}
